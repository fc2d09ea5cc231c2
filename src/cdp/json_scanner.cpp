#include "cdp/json_scanner.h"

#include <bit>
#include <bitset>
#include <cstdint>
#include <cstring>

namespace capstan {
namespace {

// How many of the eight bytes, from the front, need no look; a quote, a backslash, a control
// character and what is not ASCII do. The subtractions borrow into the top bit of a byte that is
// equal to c, or less than n; the lowest such bit is always true, and those above may not be.
std::size_t count_plain(std::uint64_t bytes) {
  static_assert(std::endian::native == std::endian::little);
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t tops = 0x8080808080808080;
  std::uint64_t quotes = bytes ^ (ones * '"');
  std::uint64_t backslashes = bytes ^ (ones * '\\');
  std::uint64_t special =
      ((quotes - ones) | (backslashes - ones) | (bytes - ones * 0x20) | bytes) & tops;
  return static_cast<std::size_t>(std::countr_zero(special)) / 8;
}

bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

}  // namespace

bool JsonScanner::skip_string() {
  if (!take('"')) {
    return false;
  }
  while (true) {
    std::size_t plain = 8;
    while (plain == 8 && end_ - place_ >= 8) {
      std::uint64_t bytes;
      std::memcpy(&bytes, place_, 8);
      plain = count_plain(bytes);
      place_ += plain;
    }
    if (place_ == end_) {
      return false;
    }
    auto byte = static_cast<unsigned char>(*place_++);
    if (byte == '"') {
      return true;
    }
    if (byte < 0x20 || (byte == '\\' && !skip_escape())) {
      return false;
    }
    if (byte >= 0x80) {
      is_ascii_ = false;
    }
  }
}

bool JsonScanner::skip_escape() {
  if (place_ == end_) {
    return false;
  }
  char kind = *place_++;
  if (kind != 'u') {
    return std::string_view("\"\\/bfnrt").find(kind) != std::string_view::npos;
  }
  for (int digit = 0; digit < 4; ++digit) {
    if (place_ == end_ || !is_hex_digit(*place_++)) {
      return false;
    }
  }
  return true;
}

bool JsonScanner::skip_digits() {
  const char* begin = place_;
  while (place_ != end_ && *place_ >= '0' && *place_ <= '9') {
    ++place_;
  }
  return place_ != begin;
}

bool JsonScanner::skip_number() {
  take('-');
  if (!take('0') && !skip_digits()) {
    return false;
  }
  if (take('.') && !skip_digits()) {
    return false;
  }
  if (take('e') || take('E')) {
    if (!take('+')) {
      take('-');
    }
    return skip_digits();
  }
  return true;
}

bool JsonScanner::skip_word(std::string_view word) {
  if (std::string_view(place_, static_cast<std::size_t>(end_ - place_)).substr(0, word.size()) !=
      word) {
    return false;
  }
  place_ += word.size();
  return true;
}

bool JsonScanner::skip_scalar() {
  if (place_ == end_) {
    return false;
  }
  switch (*place_) {
    case '"':
      return skip_string();
    case 't':
      return skip_word("true");
    case 'f':
      return skip_word("false");
    case 'n':
      return skip_word("null");
    default:
      return skip_number();
  }
}

bool JsonScanner::skip_key() {
  skip_space();
  if (!skip_string()) {
    return false;
  }
  skip_space();
  return take(':');
}

bool JsonScanner::skip_value(std::size_t depth) {
  // Which of the brackets around us, from `depth` on, are an object's. A value within them lies
  // `open` deep.
  std::bitset<depth_max + 2> is_object;
  std::size_t open = depth;
  while (true) {
    // Here a value begins.
    skip_space();
    if (open > depth_max || place_ == end_) {
      return false;
    }
    bool begins_object = *place_ == '{';
    if (begins_object || *place_ == '[') {
      ++place_;
      skip_space();
      if (!take(begins_object ? '}' : ']')) {
        is_object[++open] = begins_object;
        if (begins_object && !skip_key()) {
          return false;
        }
        continue;
      }
    } else if (!skip_scalar()) {
      return false;
    }
    // Here a value has ended.
    while (open > depth) {
      skip_space();
      if (take(',')) {
        if (is_object[open] && !skip_key()) {
          return false;
        }
        break;
      }
      if (!take(is_object[open] ? '}' : ']')) {
        return false;
      }
      --open;
    }
    if (open == depth) {
      return true;
    }
  }
}

}  // namespace capstan
