#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "io/outcome.h"

namespace capstan {

// Runs the work on the loop until it has ended; returns its value or throws its Error.
template <class T>
T run_on(asio::io_context& loop, Async<T> work) {
  Outcome<T> result;
  asio::co_spawn(loop, outcome_of(std::move(work)),
                 [&](const std::exception_ptr&, Outcome<T> outcome) {
                   result = std::move(outcome);
                   loop.stop();
                 });
  loop.run();
  return std::move(result).take();
}

}  // namespace capstan
