#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "http/chunked_decoder.h"
#include "http/message.h"

namespace capstan {

// How a message says where its body ends.
struct BodyFraming {
  enum class Kind { none, length, chunked, until_close };

  Kind kind = Kind::none;
  std::uint64_t length = 0;  // for Kind::length
};

// The values of all headers of that name.
std::vector<std::string_view> values_of(const std::vector<Header>& headers, std::string_view name);

// A content-length as it stands in a header; nothing for anything but digits.
std::optional<std::uint64_t> read_length(std::string_view text);

// Finds the end of a body in bytes that are passed on as they are; no I/O.
class BodyMeter {
 public:
  explicit BodyMeter(BodyFraming framing);

  // How many of the bytes belong to the body. Those of a refused one must not be passed on.
  std::size_t feed(std::string_view bytes);

  enum class State { reading, done, malformed };
  State state() const { return state_; }

 private:
  BodyFraming framing_;
  std::uint64_t left_;
  ChunkedDecoder chunks_;
  State state_ = State::reading;
};

}  // namespace capstan
