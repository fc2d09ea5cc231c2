#include "io/event.h"

#include <boost/asio/as_tuple.hpp>

#include "base/error.h"

namespace capstan {

void Event::set() {
  set_ = true;
  waiters_.cancel();
}

Async<> Event::wait() {
  if (set_) {
    co_return;
  }
  // Woken by set() or cancelled, the timer answers the same; only the cancellation state of the
  // coroutine tells which. A flag that was cleared again before we ran still counts as raised.
  co_await waiters_.async_wait(asio::as_tuple(asio::use_awaitable));
  auto cancellation = co_await asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != asio::cancellation_type::none) {
    throw Error(ErrorCode::cancelled, "cancelled");
  }
}

}  // namespace capstan
