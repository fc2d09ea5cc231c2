#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "base/log.h"
#include "io/race.h"
#include "io/scope.h"

namespace capstan {

// Things that take long to make, made ahead of being asked for: browsers, Node processes. Each is
// used once. A `Thing` has `bool is_gone() const` (it died while waiting) and `Async<> close()`,
// which must be awaited before it is destroyed.
template <class Thing>
class WarmPool {
 public:
  using Make = std::function<Async<std::unique_ptr<Thing>>()>;

  // `make` starts a new one; it may fail, and is never cancelled. Owned by whoever gives things
  // out, who awaits close().
  WarmPool(Executor executor, Clock& clock, std::string name, std::size_t wanted, Make make)
      : clock_(clock),
        name_(std::move(name)),
        wanted_(wanted),
        make_(std::move(make)),
        closing_(executor),
        scope_(executor, name_) {}

  // A warm one if there is one, else one made now; throws what making it threw.
  Async<std::unique_ptr<Thing>> take() {
    while (!ready_.empty()) {
      std::unique_ptr<Thing> thing = std::move(ready_.front());
      ready_.pop_front();
      start_refill();
      if (!thing->is_gone()) {
        co_return thing;
      }
      scope_.spawn(discard(std::move(thing)));
    }
    co_return co_await make_();
  }

  // Begins to make what is missing.
  void start_refill() {
    if (!refilling_ && !closing_.is_set() && ready_.size() < wanted_) {
      refilling_ = true;
      scope_.spawn(refill());
    }
  }

  std::size_t ready_count() const { return ready_.size(); }

  // Closes what is warm; what was given out is its taker's.
  Async<> close() {
    closing_.set();
    co_await scope_.drain();
    while (!ready_.empty()) {
      std::unique_ptr<Thing> thing = std::move(ready_.front());
      ready_.pop_front();
      co_await thing->close();
    }
  }

 private:
  Async<> discard(std::unique_ptr<Thing> thing) { co_await thing->close(); }

  // Nothing in here is ever cancelled, because a thing that has been started must be closed.
  Async<> refill() {
    using namespace std::chrono_literals;
    co_await pause(50ms);  // whoever took the last one goes first: making one costs much of a core
    Duration patience = 1s;
    while (!closing_.is_set() && ready_.size() < wanted_) {
      auto made = co_await outcome_of(make_());
      if (made.ok()) {
        ready_.push_back(std::move(made).take());
        patience = 1s;
        continue;
      }
      log_warning("warming_failed", {{"what", name_}, {"message", made.error().message()}});
      co_await pause(patience);
      patience = std::min<Duration>(patience * 2, 60s);
    }
    refilling_ = false;
  }

  Async<> pause(Duration duration) { return sleep_or_until(&clock_, duration, &closing_); }

  Clock& clock_;
  const std::string name_;
  const std::size_t wanted_;
  const Make make_;
  std::deque<std::unique_ptr<Thing>> ready_;
  bool refilling_ = false;
  Event closing_;
  Scope scope_;
};

}  // namespace capstan
