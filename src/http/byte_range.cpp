#include "http/byte_range.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "base/text.h"

namespace capstan {
namespace {

constexpr std::string_view unit = "bytes=";

// One or more digits. A number that is too large for us is larger than any file, too.
std::optional<std::uint64_t> read_number(std::string_view digits) {
  constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
  if (digits.empty()) {
    return std::nullopt;
  }
  std::uint64_t number = 0;
  for (char c : digits) {
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    auto digit = static_cast<std::uint64_t>(c - '0');
    number = number > (largest - digit) / 10 ? largest : number * 10 + digit;
  }
  return number;
}

// The one item of a list, in which empty ones don't count; nothing if there are more or none.
std::optional<std::string_view> single_item(std::string_view list) {
  std::optional<std::string_view> found;
  while (!list.empty()) {
    std::string_view item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(item.size() + 1, list.size()));
    item = trim(item);
    if (item.empty()) {
      continue;
    }
    if (found) {
      return std::nullopt;
    }
    found = item;
  }
  return found;
}

WantedBytes last_bytes(std::uint64_t count, std::uint64_t size) {
  if (count == 0) {
    return Unsatisfiable();
  }
  if (size == 0) {
    return WholeFile();  // there are no last bytes, and no content-range that could say so
  }
  std::uint64_t length = std::min(count, size);
  return ByteRange{.offset = size - length, .length = length};
}

}  // namespace

WantedBytes read_range(std::string_view range, std::uint64_t size) {
  if (!equal_ignoring_case(range.substr(0, unit.size()), unit)) {
    return WholeFile();
  }
  auto item = single_item(range.substr(unit.size()));
  std::size_t dash = item ? item->find('-') : std::string_view::npos;
  if (dash == std::string_view::npos) {
    return WholeFile();
  }
  std::string_view last_text = item->substr(dash + 1);
  auto last = read_number(last_text);
  if (dash == 0) {
    return last ? last_bytes(*last, size) : WholeFile();
  }
  auto first = read_number(item->substr(0, dash));
  bool is_range = first && (last_text.empty() || (last && *last >= *first));
  if (!is_range) {
    return WholeFile();
  }
  if (*first >= size) {
    return Unsatisfiable();
  }
  std::uint64_t end = last && *last < size ? *last + 1 : size;
  return ByteRange{.offset = *first, .length = end - *first};
}

}  // namespace capstan
