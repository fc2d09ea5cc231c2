#include "io/race.h"

namespace capstan {

Async<std::size_t> first_of(std::vector<Async<>> works) {
  auto executor = co_await asio::this_coro::executor;
  auto spawn = [&](Async<> work) {
    return asio::co_spawn(executor, outcome_of(std::move(work)), asio::deferred);
  };
  std::vector<decltype(spawn(std::declval<Async<>>()))> operations;
  operations.reserve(works.size());
  for (Async<>& work : works) {
    operations.push_back(spawn(std::move(work)));
  }
  auto [order, failures, outcomes] =
      co_await asio::experimental::make_parallel_group(std::move(operations))
          .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  auto cancellation = co_await asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != asio::cancellation_type::none) {
    throw Error(ErrorCode::cancelled, "cancelled");
  }
  std::move(outcomes[order[0]]).take();
  co_return order[0];
}

Async<> sleep_or_until(Clock* clock, Duration duration, Event* event) {
  std::vector<Async<>> either;
  either.push_back(clock->sleep(duration));
  either.push_back(event->wait());
  co_await first_of(std::move(either));
}

}  // namespace capstan
