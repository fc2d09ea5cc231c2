#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace capstan {

// A start line and the headers under it: all of a message but its body.
struct Head {
  std::string start_line;
  std::vector<Header> headers;
};

struct HeadLimits {
  std::size_t bytes_max;
  std::size_t headers_max;
};

// Reads a head from bytes as they come; no I/O. What comes out doesn't depend on how the bytes were
// cut, and holds no CR, LF or NUL.
class HeadReader {
 public:
  // What is read strictly is refused at the slightest fault, because what two readers understand
  // in two ways can be used to deceive one of them. Foreign servers are heard as browsers hear
  // them: lines may end with LF alone or be folded, and lines that are no headers don't count.
  // Either way all that is passed on is written anew.
  enum class Manner { strict, lenient };
  HeadReader(Manner manner, HeadLimits limits) : manner_(manner), limits_(limits) {}

  // Takes bytes until the head is complete or refused, and returns how many they were.
  std::size_t feed(std::string_view bytes);

  enum class State { reading, done, malformed, too_large };
  State state() const { return state_; }
  // Whether a byte of it has come.
  bool has_begun() const { return has_start_line_ || !line_.empty(); }

  const Head& head() const { return head_; }

 private:
  void take(char c);
  void take_line();
  void take_header();
  bool is_strict() const { return manner_ == Manner::strict; }

  Manner manner_;
  HeadLimits limits_;
  State state_ = State::reading;
  std::string line_;
  std::size_t bytes_ = 0;
  bool has_start_line_ = false;
  // Whether a folded line would go on with a header that counts.
  bool is_header_open_ = false;
  Head head_;
};

}  // namespace capstan
