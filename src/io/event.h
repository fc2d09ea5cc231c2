#pragma once

#include <boost/asio/steady_timer.hpp>

#include "io/async.h"

namespace capstan {

// A flag that coroutines can wait for. Setting it wakes everybody who waits; until it is cleared,
// waiting returns at once. Waking happens on the loop's next turn, never inside set().
class Event {
 public:
  explicit Event(const Executor& executor)
      : waiters_(executor, asio::steady_timer::time_point::max()) {}

  void set();
  void clear() { set_ = false; }
  bool is_set() const { return set_; }
  Async<> wait();

 private:
  bool set_ = false;
  asio::steady_timer waiters_;  // never expires: cancelling it is the wake-up call
};

}  // namespace capstan
