#pragma once

#include <map>
#include <memory>

#include "base/time.h"
#include "io/async.h"

namespace capstan {

class Event;

// The time, and waiting for it. Every deadline and every timestamp comes from a Clock, so that a
// test can let an hour pass at once.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual SteadyTime now() const = 0;
  virtual WallTime wall_now() const = 0;
  virtual Async<> sleep_until(SteadyTime time) = 0;

  Async<> sleep(Duration duration) { return sleep_until(now() + duration); }
};

class SystemClock final : public Clock {
 public:
  SteadyTime now() const override { return std::chrono::steady_clock::now(); }
  WallTime wall_now() const override {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }
  Async<> sleep_until(SteadyTime time) override;
};

// Time that moves when the test says so.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Executor executor);
  ~ManualClock() override;
  SteadyTime now() const override { return now_; }
  WallTime wall_now() const override;
  Async<> sleep_until(SteadyTime time) override;

  // Moves the time and wakes whoever has waited for it, on the loop's next turns.
  void advance(Duration duration);

 private:
  Executor executor_;
  SteadyTime now_{};
  std::multimap<SteadyTime, std::shared_ptr<Event>> sleepers_;
};

}  // namespace capstan
