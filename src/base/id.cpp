#include "base/id.h"

#include <array>
#include <cstddef>

#include "base/text.h"

namespace capstan {
namespace {

constexpr std::size_t uuid_length = 36;

bool is_dash_place(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

std::string with_dashes(std::string_view hex) {
  std::string text;
  text.reserve(uuid_length);
  for (char digit : hex) {
    if (is_dash_place(text.size())) {
      text += '-';
    }
    text += digit;
  }
  return text;
}

}  // namespace

std::string make_uuid(WallTime now, Random& random) {
  std::array<std::byte, 16> bytes{};
  random.fill(bytes);
  auto ms = static_cast<std::uint64_t>(to_unix_ms(now));
  for (std::size_t i = 0; i < 6; ++i) {
    bytes[i] = static_cast<std::byte>(ms >> (8 * (5 - i)));
  }
  bytes[6] = (bytes[6] & std::byte{0x0f}) | std::byte{0x70};
  bytes[8] = (bytes[8] & std::byte{0x3f}) | std::byte{0x80};
  return with_dashes(to_hex(bytes));
}

std::optional<std::string> canonical_uuid(std::string_view text) {
  if (text.size() != uuid_length) {
    return std::nullopt;
  }
  std::string canonical(text);
  for (std::size_t i = 0; i < uuid_length; ++i) {
    char& c = canonical[i];
    if (is_dash_place(i)) {
      if (c != '-') {
        return std::nullopt;
      }
      continue;
    }
    if (c >= 'A' && c <= 'F') {
      c = static_cast<char>(c - 'A' + 'a');
    }
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
      return std::nullopt;
    }
  }
  return canonical;
}

}  // namespace capstan
