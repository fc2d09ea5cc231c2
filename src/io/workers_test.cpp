#include "io/workers.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "io/loop_test.h"
#include "io/scope.h"

namespace capstan {
namespace {

Async<> add_square(Workers* workers, int number, int* sum) {
  int square = co_await workers->run([number] { return number * number; });
  *sum += square;  // on the loop: no lock is needed
}

}  // namespace

class WorkersTest : public LoopTest {
 protected:
  Workers workers_{2};
};

ASYNC_TEST(WorkersTest, a_function_runs_on_another_thread_and_comes_back_to_the_loop) {
  auto loop_thread = std::this_thread::get_id();
  auto work_thread = co_await workers_.run([] { return std::this_thread::get_id(); });
  EXPECT_NE(work_thread, loop_thread);
  EXPECT_EQ(std::this_thread::get_id(), loop_thread);
}

ASYNC_TEST(WorkersTest, returns_values_that_can_only_be_moved_and_nothing_at_all) {
  auto number = co_await workers_.run([] { return std::make_unique<int>(7); });
  EXPECT_EQ(*number, 7);
  auto note = std::make_shared<std::string>();
  co_await workers_.run([note] { *note = "done"; });
  EXPECT_EQ(*note, "done");
}

ASYNC_TEST(WorkersTest, a_failure_is_thrown_on_the_loop) {
  auto outcome = co_await outcome_of(
      workers_.run([]() -> int { throw Error(ErrorCode::conflict, "as told"); }));
  EXPECT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::conflict);
  auto unknown = co_await outcome_of(workers_.run([] { throw std::runtime_error("secret"); }));
  EXPECT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code(), ErrorCode::internal);
  EXPECT_EQ(unknown.error().message(), "internal error");
  EXPECT_EQ(unknown.error().cause(), "secret");
}

ASYNC_TEST(WorkersTest, many_wait_their_turn) {
  Scope scope(executor(), "test");
  int sum = 0;
  for (int number = 1; number <= 100; ++number) {
    scope.spawn(add_square(&workers_, number, &sum));
  }
  co_await scope.drain();
  EXPECT_EQ(sum, 338'350);
}

}  // namespace capstan
