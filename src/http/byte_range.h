#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

namespace capstan {

// The Range header of a request (RFC 9110, section 14), as far as it is for us; no I/O.

// A piece of what has been asked for; never empty.
struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;

  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

// There is nothing in the range: the answer is 416.
struct Unsatisfiable {
  friend bool operator==(const Unsatisfiable&, const Unsatisfiable&) = default;
};

// The range doesn't matter: the answer is the whole.
struct WholeFile {
  friend bool operator==(const WholeFile&, const WholeFile&) = default;
};

using WantedBytes = std::variant<WholeFile, ByteRange, Unsatisfiable>;

// What `range` ("bytes=0-499", "bytes=500-", "bytes=-500") means of `size` bytes. Another unit, a
// range that is none, and several ranges at once mean the whole: nobody needs to serve ranges, and
// players and downloads ask for one at a time.
WantedBytes read_range(std::string_view range, std::uint64_t size);

}  // namespace capstan
