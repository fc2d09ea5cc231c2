#include "http/chunked_decoder.h"

#include <algorithm>

namespace capstan {
namespace {

constexpr std::size_t size_digits_max = 8;  // 4 GiB in one chunk
// Extensions and trailers that nobody reads must not become a way around the body's limit.
constexpr std::size_t overhead_bytes_max = std::size_t{8} * 1024;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool is_text(char c) { return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != '\x7f'); }

}  // namespace

std::size_t ChunkedDecoder::read(std::string_view bytes, std::string* body) {
  std::size_t taken = 0;
  while (taken < bytes.size() && state_ == State::reading) {
    if (place_ == Place::chunk) {
      auto count =
          static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size() - taken, chunk_bytes_));
      if (body != nullptr) {
        body->append(bytes.substr(taken, count));
      }
      taken += count;
      chunk_bytes_ -= count;
      if (chunk_bytes_ == 0) {
        place_ = Place::chunk_cr;
      }
    } else {
      take(bytes[taken++]);
    }
  }
  return taken;
}

void ChunkedDecoder::take(char c) {
  auto expect = [&](char wanted, Place next) {
    place_ = next;
    if (c != wanted) {
      state_ = State::malformed;
    }
  };
  switch (place_) {
    case Place::size:
      return take_size(c);
    case Place::extension:
      return take_extension(c);
    case Place::size_end:
      expect('\n', Place::chunk);
      return end_size_line();
    case Place::chunk:
      return;  // taken whole, in feed()
    case Place::chunk_cr:
      return expect('\r', Place::chunk_lf);
    case Place::chunk_lf:
      size_digits_ = 0;
      return expect('\n', Place::size);
    case Place::trailer:
      return take_trailer(c);
    case Place::trailer_lf:
      expect('\n', Place::trailer);
      if (state_ == State::reading && trailer_line_bytes_ == 0) {
        state_ = State::done;
      }
      trailer_line_bytes_ = 0;
      return;
  }
}

void ChunkedDecoder::take_size(char c) {
  if (int digit = hex_digit(c); digit >= 0 && size_digits_ < size_digits_max) {
    ++size_digits_;
    chunk_bytes_ = chunk_bytes_ * 16 + static_cast<std::uint64_t>(digit);
  } else if (size_digits_ > 0 && c == ';') {
    place_ = Place::extension;
  } else if (size_digits_ > 0 && c == '\r') {
    place_ = Place::size_end;
  } else {
    state_ = State::malformed;
  }
}

void ChunkedDecoder::end_size_line() {
  if (state_ != State::reading) {
    return;
  }
  if (chunk_bytes_ == 0) {
    place_ = Place::trailer;
    overhead_bytes_ = 0;
  } else if (chunk_bytes_ > body_bytes_max_ - body_bytes_) {
    state_ = State::too_large;
  } else {
    body_bytes_ += static_cast<std::size_t>(chunk_bytes_);
  }
}

void ChunkedDecoder::take_extension(char c) {
  if (c == '\r') {
    place_ = Place::size_end;
  } else if (!is_text(c) || ++overhead_bytes_ > overhead_bytes_max) {
    state_ = State::malformed;
  }
}

void ChunkedDecoder::take_trailer(char c) {
  if (c == '\r') {
    place_ = Place::trailer_lf;
  } else if (!is_text(c) || ++overhead_bytes_ > overhead_bytes_max) {
    state_ = State::malformed;
  } else {
    ++trailer_line_bytes_;
  }
}

}  // namespace capstan
