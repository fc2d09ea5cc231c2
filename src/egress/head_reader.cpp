#include "egress/head_reader.h"

#include <algorithm>

#include "base/text.h"
#include "http/grammar.h"

namespace capstan {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < ' ' && c != '\t' && c != '\r') || c == '\x7f';
}

}  // namespace

// Byte by byte, so that a verdict depends on the bytes before it alone.
std::size_t HeadReader::feed(std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && state_ == State::reading) {
    take(bytes[taken++]);
  }
  return taken;
}

void HeadReader::take(char c) {
  if (++bytes_ > limits_.bytes_max) {
    state_ = State::too_large;
  } else if (c == '\n') {
    if (line_.ends_with('\r')) {
      line_.pop_back();
    } else if (is_strict()) {
      state_ = State::malformed;
      return;
    }
    take_line();
    line_.clear();
  } else if (line_.ends_with('\r') || c == '\0' || (is_strict() && is_control(c))) {
    state_ = State::malformed;
  } else {
    line_ += c;
  }
}

void HeadReader::take_line() {
  if (!has_start_line_) {
    // Some send an empty line behind a body; it belongs to nothing.
    has_start_line_ = !line_.empty();
    head_.start_line = line_;
  } else if (line_.empty()) {
    state_ = State::done;
  } else {
    take_header();
  }
}

void HeadReader::take_header() {
  std::string_view line = line_;
  if (is_blank(line.front())) {
    if (is_strict()) {
      state_ = State::malformed;
    } else if (is_header_open_) {
      head_.headers.back().value += " " + std::string(trim(line));
    }
    return;
  }
  std::size_t colon = line.find(':');
  std::string_view name = line.substr(0, colon);
  if (!is_strict()) {
    name = trim(name);
  }
  is_header_open_ = colon != std::string_view::npos && is_token(name);
  if (!is_header_open_) {
    state_ = is_strict() ? State::malformed : State::reading;
  } else if (head_.headers.size() == limits_.headers_max) {
    state_ = State::too_large;
  } else {
    head_.headers.push_back({std::string(name), std::string(trim(line.substr(colon + 1)))});
  }
}

}  // namespace capstan
