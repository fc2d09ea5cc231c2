#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace capstan {

namespace asio = boost::asio;

// What every function that may suspend returns. It is started by awaiting it or by
// Scope::spawn, and by nothing else. All of them run on the one loop thread.
template <class T = void>
using Async = asio::awaitable<T>;

using Executor = asio::any_io_executor;

}  // namespace capstan
