#include "egress/body_framing.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/text.h"

namespace capstan {

std::vector<std::string_view> values_of(const std::vector<Header>& headers, std::string_view name) {
  std::vector<std::string_view> values;
  for (const Header& header : headers) {
    if (equal_ignoring_case(header.name, name)) {
      values.push_back(header.value);
    }
  }
  return values;
}

std::optional<std::uint64_t> read_length(std::string_view text) {
  std::uint64_t length = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return length;
}

BodyMeter::BodyMeter(BodyFraming framing)
    : framing_(framing),
      left_(framing.kind == BodyFraming::Kind::length ? framing.length : 0),
      chunks_(std::numeric_limits<std::size_t>::max()) {
  if (framing.kind == BodyFraming::Kind::none ||
      (framing.kind == BodyFraming::Kind::length && left_ == 0)) {
    state_ = State::done;
  }
}

std::size_t BodyMeter::feed(std::string_view bytes) {
  if (state_ != State::reading) {
    return 0;
  }
  if (framing_.kind == BodyFraming::Kind::until_close) {
    return bytes.size();
  }
  if (framing_.kind == BodyFraming::Kind::chunked) {
    std::size_t taken = chunks_.skip(bytes);
    if (chunks_.state() != ChunkedDecoder::State::reading) {
      state_ = chunks_.state() == ChunkedDecoder::State::done ? State::done : State::malformed;
    }
    return taken;
  }
  auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), left_));
  left_ -= taken;
  if (left_ == 0) {
    state_ = State::done;
  }
  return taken;
}

}  // namespace capstan
