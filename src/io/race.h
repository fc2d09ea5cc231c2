#pragma once

#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>

#include "io/clock.h"
#include "io/event.h"
#include "io/outcome.h"

namespace capstan {

// Waits for the first of several works to end, cancels the others, and waits until they are gone.
// Returns the index of the first one; throws its Error if that one failed. (Asio's own `||` waits
// for the first success, and so hides a failure until the deadline.)
Async<std::size_t> first_of(std::vector<Async<>> works);

// Does several works at once and waits until all have ended, whatever came of each; throws the
// Error of the first of them, in their order, that failed.
Async<> all_of(std::vector<Async<>> works);

// Sleeps until the time has passed or the event is set, whichever comes first: for work that tries
// again later, until its owner closes.
Async<> sleep_or_until(Clock* clock, Duration duration, Event* event);

// Asio's groups end well when they are cancelled, with whatever had come by then.
inline void throw_if_cancelled(const asio::cancellation_state& state) {
  if (state.cancelled() != asio::cancellation_type::none) {
    throw Error(ErrorCode::cancelled, "cancelled");
  }
}

// The coroutine of within(): a coroutine's parameters are no references.
template <class T>
Async<T> race_with_clock(Clock* clock, Duration limit, Async<T> work, std::string message) {
  auto executor = co_await asio::this_coro::executor;
  auto [order, work_failure, outcome, sleep_failure, slept] =
      co_await asio::experimental::make_parallel_group(
          asio::co_spawn(executor, outcome_of(std::move(work)), asio::deferred),
          asio::co_spawn(executor, outcome_of(clock->sleep(limit)), asio::deferred))
          .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  throw_if_cancelled(co_await asio::this_coro::cancellation_state);
  if (order[0] != 0) {
    throw Error(ErrorCode::deadline_exceeded, std::move(message));
  }
  co_return std::move(outcome).take();
}

// Runs the work for at most `limit`; throws deadline_exceeded with `message` after that. The work
// must be cancellable.
template <class T>
Async<T> within(Clock& clock, Duration limit, Async<T> work, std::string message) {
  return race_with_clock(&clock, limit, std::move(work), std::move(message));
}

}  // namespace capstan
