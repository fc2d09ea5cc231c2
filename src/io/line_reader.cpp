#include "io/line_reader.h"

#include "base/error.h"
#include "io/outcome.h"

namespace capstan {
namespace {

constexpr std::size_t read_bytes = std::size_t{64} * 1024;

Error too_long(std::size_t bytes_max) {
  return Error(ErrorCode::resource_exhausted,
               "a message is longer than " + std::to_string(bytes_max) + " bytes");
}

}  // namespace

std::optional<std::string> LineReader::take_record() {
  std::size_t end = buffer_.find(separator_, searched_);
  if (end == std::string::npos) {
    searched_ = buffer_.size();
    return std::nullopt;
  }
  if (end - begin_ > record_bytes_max_) {
    throw too_long(record_bytes_max_);
  }
  if (begin_ == 0 && end > read_bytes) {
    // A long record takes the buffer along, instead of being copied out of it.
    std::string rest = buffer_.substr(end + 1);
    buffer_.resize(end);
    searched_ = 0;
    return std::exchange(buffer_, std::move(rest));
  }
  std::string record = buffer_.substr(begin_, end - begin_);
  begin_ = searched_ = end + 1;
  return record;
}

void LineReader::hold(std::size_t bytes) {
  if (held_ && !held_->set(bytes)) {
    throw Error(ErrorCode::resource_exhausted,
                "there is no room for a message of more than " + std::to_string(bytes) + " bytes");
  }
}

Async<std::optional<std::string>> LineReader::next() {
  while (true) {
    if (auto record = take_record()) {
      hold(0);  // what is left of the buffer is short
      co_return record;
    }
    buffer_.erase(0, begin_);
    searched_ -= begin_;
    begin_ = 0;
    if (buffer_.size() > record_bytes_max_) {
      throw too_long(record_bytes_max_);
    }
    std::size_t old_size = buffer_.size();
    hold(old_size);
    buffer_.resize(old_size + read_bytes);
    auto count = co_await outcome_of(
        stream_->read_some({buffer_.data() + old_size, buffer_.size() - old_size}));
    buffer_.resize(old_size + (count.ok() ? count.value() : 0));
    if (std::move(count).take() == 0) {
      co_return std::nullopt;
    }
  }
}

}  // namespace capstan
