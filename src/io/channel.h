#pragma once

#include <deque>
#include <optional>
#include <utility>

#include "base/check.h"
#include "io/event.h"

namespace capstan {

// A queue between coroutines, bounded by weight (bytes, say). A pusher waits while the queue is
// over its bound, so one item of any weight always gets through. After close() pushing is
// refused, and what is inside can still be taken.
template <class T>
class Channel {
 public:
  Channel(const Executor& executor, std::size_t weight_max)
      : weight_max_(weight_max), readable_(executor), writable_(executor) {
    CHECK(weight_max > 0);
    writable_.set();
  }

  // False, with the item dropped, once the channel is closed.
  Async<bool> push(T item, std::size_t weight = 1) {
    while (!closed_ && is_full()) {
      co_await writable_.wait();
    }
    co_return push_now(std::move(item), weight);
  }

  // Doesn't wait for room; the caller looks at is_full() and holds back itself.
  bool push_now(T item, std::size_t weight = 1) {
    if (closed_) {
      return false;
    }
    weight_ += weight;
    items_.emplace_back(std::move(item), weight);
    readable_.set();
    if (is_full()) {
      writable_.clear();
    }
    return true;
  }

  // The next item; nothing once the channel is closed and empty.
  Async<std::optional<T>> pop() {
    while (items_.empty() && !closed_) {
      readable_.clear();
      co_await readable_.wait();
    }
    if (items_.empty()) {
      co_return std::nullopt;
    }
    auto [item, weight] = std::move(items_.front());
    items_.pop_front();
    weight_ -= weight;
    if (!is_full()) {
      writable_.set();
    }
    co_return std::move(item);
  }

  void close() {
    closed_ = true;
    readable_.set();
    writable_.set();
  }

  bool is_full() const { return weight_ >= weight_max_; }
  std::size_t weight() const { return weight_; }

 private:
  std::size_t weight_max_;
  std::size_t weight_ = 0;
  bool closed_ = false;
  std::deque<std::pair<T, std::size_t>> items_;
  Event readable_;
  Event writable_;
};

}  // namespace capstan
