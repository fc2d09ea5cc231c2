#pragma once

#include <cstddef>
#include <string_view>

namespace capstan {

// Walks over JSON text (RFC 8259) front to back, without building anything and without recursion.
// Borrows the text. A function that returns false has met something that is not JSON, and the
// scanner is of no more use. UTF-8 is not checked, only noticed.
class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text)
      : place_(text.data()), end_(text.data() + text.size()) {}

  // The next byte.
  const char* place() const { return place_; }
  bool is_ascii() const { return is_ascii_; }
  bool at_end() const { return place_ == end_; }

  void skip_space() {
    while (place_ != end_ &&
           (*place_ == ' ' || *place_ == '\n' || *place_ == '\r' || *place_ == '\t')) {
      ++place_;
    }
  }

  bool take(char wanted) {
    if (place_ == end_ || *place_ != wanted) {
      return false;
    }
    ++place_;
    return true;
  }

  bool skip_string();
  // A value that lies `depth` deep, with all that is in it; nothing in it may lie deeper than
  // `depth_max`.
  static constexpr std::size_t depth_max = 300;
  bool skip_value(std::size_t depth);

 private:
  bool skip_escape();
  bool skip_digits();
  bool skip_number();
  bool skip_word(std::string_view word);
  bool skip_scalar();
  bool skip_key();

  const char* place_;
  const char* end_;
  bool is_ascii_ = true;
};

}  // namespace capstan
