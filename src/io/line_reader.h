#pragma once

#include <optional>
#include <string>

#include "base/byte_budget.h"
#include "io/stream.h"

namespace capstan {

// Cuts a stream into records that end with `separator`: lines, or DevTools' NUL-ended messages.
// Borrows the stream, and the budget, if there is one, out of which comes what it holds of a long
// record that has not been given out yet. A record longer than `record_bytes_max`, or one that the
// budget has no room for, throws resource_exhausted, after which the stream is of no more use.
class LineReader {
 public:
  LineReader(Stream& stream, char separator, std::size_t record_bytes_max,
             ByteBudget* budget = nullptr, std::size_t free_bytes = 0)
      : stream_(&stream), separator_(separator), record_bytes_max_(record_bytes_max) {
    if (budget != nullptr) {
      held_.emplace(*budget, free_bytes);
    }
  }

  // The next record without its separator; nothing at the end of the stream, where an unfinished
  // record is dropped.
  Async<std::optional<std::string>> next();

 private:
  std::optional<std::string> take_record();
  void hold(std::size_t bytes);

  Stream* stream_;
  char separator_;
  std::size_t record_bytes_max_;
  std::optional<ByteBudget::Share> held_;
  std::string buffer_;
  std::size_t begin_ = 0;     // start of the record that is being looked for
  std::size_t searched_ = 0;  // no separator before this place
};

}  // namespace capstan
