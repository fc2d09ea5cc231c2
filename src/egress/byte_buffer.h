#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace capstan {

// Bytes on their way from one side to the other. It is refilled only when it is empty, so that who
// takes nothing is sent nothing. The memory comes with the first use.
class ByteBuffer {
 public:
  explicit ByteBuffer(std::size_t capacity) : capacity_(capacity) {}

  bool is_empty() const { return begin_ == end_; }
  std::string_view bytes() const { return {memory_.get() + begin_, end_ - begin_}; }
  void drop(std::size_t count) { begin_ += count; }

  // Room for the next bytes, for when it is empty; filled() says how many came.
  std::span<char> room() {
    if (!memory_) {
      memory_ = std::make_unique_for_overwrite<char[]>(capacity_);
    }
    begin_ = 0;
    end_ = 0;
    return {memory_.get(), capacity_};
  }
  void filled(std::size_t count) { end_ = count; }
  // Drops the bytes, and gives the memory back until it is needed again.
  void release() {
    memory_.reset();
    begin_ = 0;
    end_ = 0;
  }

 private:
  std::size_t capacity_;
  std::unique_ptr<char[]> memory_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace capstan
