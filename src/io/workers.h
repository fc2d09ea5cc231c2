#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "io/outcome.h"

namespace capstan {

// Threads for calls that block: files, archives, deleting folders. Owned by App; outlives
// everybody who uses it.
class Workers {
 public:
  explicit Workers(std::size_t threads) : pool_(threads) {}
  ~Workers() { pool_.join(); }

  // Runs `function` on a worker thread and returns its value, or throws its Error, on the loop.
  // It can't be cancelled: what `function` captures must be values.
  template <class Function>
  Async<std::invoke_result_t<Function>> run(Function function) {
    using Result = Outcome<std::invoke_result_t<Function>>;
    Result result = co_await asio::async_initiate<decltype(asio::use_awaitable), void(Result)>(
        [this](auto handler, Function work) {
          auto loop = asio::make_work_guard(asio::get_associated_executor(handler));
          asio::post(pool_, [handler = std::move(handler), loop = std::move(loop),
                             work = std::move(work)]() mutable {
            auto executor = loop.get_executor();
            asio::post(executor, [handler = std::move(handler), loop = std::move(loop),
                                  outcome = outcome_of_call(work)]() mutable {
              std::move(handler)(std::move(outcome));
            });
          });
        },
        asio::use_awaitable, std::move(function));
    co_return std::move(result).take();
  }

 private:
  asio::thread_pool pool_;
};

}  // namespace capstan
