#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "io/clock.h"
#include "io/outcome.h"

namespace capstan {

// The ground under an ASYNC_TEST: a loop, and a clock that moves by `let_pass` alone.
class LoopTest : public testing::Test {
 public:
  Executor executor() { return context_.get_executor(); }

  // Moves the clock and lets everybody who was waiting for it run.
  Async<> let_pass(Duration duration);
  // Lets everything run that can run now.
  Async<> settle();

  // Runs the test's body to its end; a body that can't go on fails the test.
  void run(Async<> body);

 protected:
  asio::io_context context_{1};
  ManualClock clock_{context_.get_executor()};
};

}  // namespace capstan

// A test whose body is a coroutine on a loop of its own.
//   ASYNC_TEST(LoopTest, sleeps_until_the_clock_says_so) { co_await clock_.sleep(1s); ... }
#define ASYNC_TEST(fixture, name)                 \
  class fixture##_##name : public fixture {       \
   public:                                        \
    Async<> body();                               \
  };                                              \
  TEST_F(fixture##_##name, test) { run(body()); } \
  Async<> fixture##_##name::body()
