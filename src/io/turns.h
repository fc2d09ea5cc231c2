#pragma once

#include <cstddef>
#include <memory>

#include "io/event.h"

namespace capstan {

// So many at a time; who comes later waits. It outlives those who have a turn.
class Turns {
 public:
  Turns(const Executor& executor, std::size_t count) : free_(count), freed_(executor) {}
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;

  // Lasts as long as it lives.
  class Turn {
   public:
    explicit Turn(Turns& turns) : turns_(turns) { --turns_.free_; }
    ~Turn() {
      ++turns_.free_;
      turns_.freed_.set();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    Turns& turns_;
  };

  Async<std::unique_ptr<Turn>> take() {
    while (free_ == 0) {
      freed_.clear();
      co_await freed_.wait();
    }
    co_return std::make_unique<Turn>(*this);
  }

 private:
  std::size_t free_;
  Event freed_;
};

}  // namespace capstan
