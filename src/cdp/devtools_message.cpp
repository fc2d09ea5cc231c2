#include "cdp/devtools_message.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include <boost/json.hpp>

namespace capstan {
namespace {

struct Member {
  std::string_view name;
  std::string_view DevToolsMessage::* slice;
};
constexpr std::array<Member, 6> known_members = {{{"id", &DevToolsMessage::id},
                                                  {"method", &DevToolsMessage::method},
                                                  {"sessionId", &DevToolsMessage::session_id},
                                                  {"params", &DevToolsMessage::params},
                                                  {"result", &DevToolsMessage::result},
                                                  {"error", &DevToolsMessage::error}}};

void note_member(DevToolsMessage& message, std::string_view key, std::string_view value) {
  for (const Member& member : known_members) {
    if (is_string(key, member.name)) {
      std::string_view& slice = message.*member.slice;
      message.repeats_member |= !slice.empty();
      slice = value;
      return;
    }
  }
  message.has_unknown_member = true;
}

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

bool read_member(JsonScanner& scanner, DevToolsMessage& message) {
  scanner.skip_space();
  const char* begin = scanner.place();
  if (!scanner.skip_string()) {
    return false;
  }
  std::string_view key = between(begin, scanner.place());
  scanner.skip_space();
  if (!scanner.take(':')) {
    return false;
  }
  scanner.skip_space();
  begin = scanner.place();
  if (!scanner.skip_value(1)) {
    return false;
  }
  note_member(message, key, between(begin, scanner.place()));
  scanner.skip_space();
  return true;
}

}  // namespace

std::optional<DevToolsMessage> parse_message(std::string_view text) {
  DevToolsMessage message;
  JsonScanner scanner(text);
  scanner.skip_space();
  if (!scanner.take('{')) {
    return std::nullopt;
  }
  scanner.skip_space();
  if (!scanner.take('}')) {
    do {
      if (!read_member(scanner, message)) {
        return std::nullopt;
      }
    } while (scanner.take(','));
    if (!scanner.take('}')) {
      return std::nullopt;
    }
  }
  scanner.skip_space();
  if (!scanner.at_end()) {
    return std::nullopt;
  }
  message.is_ascii = scanner.is_ascii();
  return message;
}

std::optional<std::string> string_of(std::string_view slice) {
  if (slice.size() < 2 || slice.front() != '"') {
    return std::nullopt;
  }
  if (slice.find('\\') == std::string_view::npos) {
    return std::string(slice.substr(1, slice.size() - 2));
  }
  boost::system::error_code failed;
  boost::json::value value = boost::json::parse(slice, failed);
  if (failed || !value.is_string()) {
    return std::nullopt;
  }
  return std::string(value.get_string());
}

bool is_string(std::string_view slice, std::string_view text) {
  if (slice.size() == text.size() + 2) {
    return slice.front() == '"' && slice.substr(1, text.size()) == text;
  }
  // With escapes it is longer, at most six times.
  return slice.size() > text.size() + 2 && slice.size() <= text.size() * 6 + 2 &&
         slice.find('\\') != std::string_view::npos && string_of(slice) == text;
}

std::optional<std::int32_t> integer_of(std::string_view slice) {
  // Nobody writes an id longer than this; reading a megabyte of digits is not worth it.
  constexpr std::size_t digits_max = 32;
  if (slice.empty() || slice.size() > digits_max) {
    return std::nullopt;
  }
  std::int32_t integer = 0;
  const char* end = slice.data() + slice.size();
  if (auto [rest, failure] = std::from_chars(slice.data(), end, integer);
      rest == end && failure == std::errc()) {
    return integer;
  }
  double number = 0;
  auto [rest, failure] = std::from_chars(slice.data(), end, number);
  constexpr std::numeric_limits<std::int32_t> bounds;
  if (rest != end || failure != std::errc() || number != std::floor(number) ||
      number < bounds.min() || number > bounds.max()) {
    return std::nullopt;
  }
  return static_cast<std::int32_t>(number);
}

}  // namespace capstan
