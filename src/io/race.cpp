#include "io/race.h"

namespace capstan {

namespace {

// One that is ready to be started for each work; what they give are outcomes.
auto operations_of(Executor executor, std::vector<Async<>> works) {
  auto operation_of = [&](Async<> work) {
    return asio::co_spawn(executor, outcome_of(std::move(work)), asio::deferred);
  };
  std::vector<decltype(operation_of(std::declval<Async<>>()))> operations;
  operations.reserve(works.size());
  for (Async<>& work : works) {
    operations.push_back(operation_of(std::move(work)));
  }
  return operations;
}

}  // namespace

Async<std::size_t> first_of(std::vector<Async<>> works) {
  auto operations = operations_of(co_await asio::this_coro::executor, std::move(works));
  auto [order, failures, outcomes] =
      co_await asio::experimental::make_parallel_group(std::move(operations))
          .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  throw_if_cancelled(co_await asio::this_coro::cancellation_state);
  std::move(outcomes[order[0]]).take();
  co_return order[0];
}

Async<> all_of(std::vector<Async<>> works) {
  auto operations = operations_of(co_await asio::this_coro::executor, std::move(works));
  if (operations.empty()) {
    co_return;
  }
  auto [order, failures, outcomes] =
      co_await asio::experimental::make_parallel_group(std::move(operations))
          .async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
  throw_if_cancelled(co_await asio::this_coro::cancellation_state);
  for (auto& outcome : outcomes) {
    std::move(outcome).take();
  }
}

Async<> sleep_or_until(Clock* clock, Duration duration, Event* event) {
  std::vector<Async<>> either;
  either.push_back(clock->sleep(duration));
  either.push_back(event->wait());
  co_await first_of(std::move(either));
}

}  // namespace capstan
