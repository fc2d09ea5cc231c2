#include "io/clock.h"

#include <boost/asio/steady_timer.hpp>

#include "io/event.h"

namespace capstan {

Async<> SystemClock::sleep_until(SteadyTime time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

ManualClock::ManualClock(Executor executor) : executor_(std::move(executor)) {}
ManualClock::~ManualClock() = default;

WallTime ManualClock::wall_now() const {
  return from_unix_ms(1'700'000'000'000) +
         std::chrono::floor<std::chrono::milliseconds>(now_.time_since_epoch());
}

Async<> ManualClock::sleep_until(SteadyTime time) {
  if (time <= now_) {
    co_return;
  }
  auto woken = std::make_shared<Event>(executor_);
  sleepers_.emplace(time, woken);
  co_await woken->wait();
}

void ManualClock::advance(Duration duration) {
  now_ += duration;
  auto end = sleepers_.upper_bound(now_);
  for (auto sleeper = sleepers_.begin(); sleeper != end; ++sleeper) {
    sleeper->second->set();
  }
  sleepers_.erase(sleepers_.begin(), end);
}

}  // namespace capstan
