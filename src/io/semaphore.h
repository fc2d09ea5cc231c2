#pragma once

#include <utility>

#include "io/event.h"

namespace capstan {

// Lets a bounded number of coroutines do the same thing at once; the others wait. Outlives its
// permits.
class Semaphore {
 public:
  Semaphore(const Executor& executor, std::size_t count) : free_(count), freed_(executor) {}

  // Held while doing it; destroying it lets the next one in.
  class Permit {
   public:
    explicit Permit(Semaphore* semaphore) : semaphore_(semaphore) {}
    ~Permit() {
      if (semaphore_ != nullptr) {
        ++semaphore_->free_;
        semaphore_->freed_.set();
      }
    }
    Permit(Permit&& other) noexcept : semaphore_(std::exchange(other.semaphore_, nullptr)) {}
    Permit& operator=(Permit&&) = delete;

   private:
    Semaphore* semaphore_;
  };

  Async<Permit> acquire() {
    while (free_ == 0) {
      freed_.clear();
      co_await freed_.wait();
    }
    --free_;
    co_return Permit(this);
  }

 private:
  std::size_t free_;
  Event freed_;
};

}  // namespace capstan
