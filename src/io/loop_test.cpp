#include "io/loop_test.h"

#include <boost/asio/post.hpp>

#include "io/event.h"
#include "io/race.h"
#include "io/scope.h"

namespace capstan {

using namespace std::chrono_literals;

void LoopTest::run(Async<> body) {
  bool ended = false;
  asio::co_spawn(context_, outcome_of(std::move(body)),
                 [&](const std::exception_ptr& failure, Outcome<void> outcome) {
                   ended = true;
                   EXPECT_FALSE(failure);
                   EXPECT_TRUE(outcome.ok()) << outcome.error().message();
                 });
  context_.run_for(30s);
  EXPECT_TRUE(ended) << "the test's body waits for something that never comes";
}

Async<> LoopTest::settle() {
  // A turn of the loop may start another; a fixed number of turns is more than any test needs.
  for (int turn = 0; turn < 50; ++turn) {
    co_await asio::post(executor(), asio::use_awaitable);
  }
}

Async<> LoopTest::let_pass(Duration duration) {
  co_await settle();
  clock_.advance(duration);
  co_await settle();
}

namespace {

Async<> fail_after(Clock* clock, Duration duration) {
  co_await clock->sleep(duration);
  throw Error(ErrorCode::conflict, "as told");
}

Async<int> answer_after(Clock* clock, Duration duration) {
  co_await clock->sleep(duration);
  co_return 42;
}

Async<> note_cancellation(Clock* clock, bool* cancelled) {
  auto outcome = co_await outcome_of(clock->sleep(1h));
  *cancelled = !outcome.ok() && outcome.error().code() == ErrorCode::cancelled;
}

Async<> let_pass_later(LoopTest* test, Duration duration) { co_await test->let_pass(duration); }

}  // namespace

class Race : public LoopTest {};

ASYNC_TEST(Race, within_returns_what_comes_in_time) {
  Scope scope(executor(), "test");
  scope.spawn(let_pass_later(this, 5ms));
  EXPECT_EQ(co_await within(clock_, 300ms, answer_after(&clock_, 5ms), "late"), 42);
  co_await scope.close();
}

ASYNC_TEST(Race, within_reports_the_real_failure_and_not_the_deadline) {
  Scope scope(executor(), "test");
  scope.spawn(let_pass_later(this, 5ms));
  auto outcome = co_await outcome_of(within(clock_, 300ms, fail_after(&clock_, 5ms), "late"));
  EXPECT_EQ(outcome.error().code(), ErrorCode::conflict);
  co_await scope.close();
}

ASYNC_TEST(Race, within_cancels_what_is_late) {
  bool cancelled = false;
  Scope scope(executor(), "test");
  scope.spawn(let_pass_later(this, 300ms));
  auto outcome =
      co_await outcome_of(within(clock_, 300ms, note_cancellation(&clock_, &cancelled), "late"));
  EXPECT_EQ(outcome.error().code(), ErrorCode::deadline_exceeded);
  EXPECT_EQ(outcome.error().message(), "late");
  EXPECT_TRUE(cancelled);
  co_await scope.close();
}

ASYNC_TEST(Race, first_of_names_the_first_and_cancels_the_others) {
  bool cancelled = false;
  Scope scope(executor(), "test");
  scope.spawn(let_pass_later(this, 1s));
  std::vector<Async<>> works;
  works.push_back(note_cancellation(&clock_, &cancelled));
  works.push_back(clock_.sleep(1s));
  EXPECT_EQ(co_await first_of(std::move(works)), 1U);
  EXPECT_TRUE(cancelled);
  co_await scope.close();
}

ASYNC_TEST(Race, all_of_waits_for_all_and_throws_the_first_failure) {
  int ended = 0;
  auto end_after = [](Clock* clock, Duration duration, bool well, int* count) -> Async<> {
    co_await clock->sleep(duration);
    ++*count;
    if (!well) {
      throw Error(ErrorCode::unavailable, std::to_string(duration.count()));
    }
  };
  std::vector<Async<>> works;
  works.push_back(end_after(&clock_, 3ms, true, &ended));
  works.push_back(end_after(&clock_, 2ms, false, &ended));
  works.push_back(end_after(&clock_, 1ms, false, &ended));
  Scope scope(executor(), "test");
  scope.spawn(let_pass_later(this, 3ms));
  auto outcome = co_await outcome_of(all_of(std::move(works)));
  EXPECT_EQ(ended, 3);
  EXPECT_EQ(outcome.error().message(), std::to_string(Duration(2ms).count()));
  co_await scope.close();
  co_await all_of({});
}

ASYNC_TEST(Race, sleep_or_until_ends_with_the_time_or_the_event_whichever_is_first) {
  Event closing(executor());
  int returned = 0;
  auto count = [](Async<> work, int* ended) -> Async<> {
    co_await std::move(work);
    ++*ended;
  };
  Scope scope(executor(), "test");
  scope.spawn(count(sleep_or_until(&clock_, 1s, &closing), &returned));
  scope.spawn(count(sleep_or_until(&clock_, 1h, &closing), &returned));
  co_await settle();
  EXPECT_EQ(returned, 0);
  co_await let_pass(1s);
  EXPECT_EQ(returned, 1);
  closing.set();
  co_await scope.drain();
  EXPECT_EQ(returned, 2);
  co_await sleep_or_until(&clock_, 1h, &closing);
}

class ScopeTest : public LoopTest {};

ASYNC_TEST(ScopeTest, close_cancels_what_runs_and_waits_for_it) {
  bool cancelled = false;
  Scope scope(executor(), "test");
  scope.spawn(note_cancellation(&clock_, &cancelled));
  co_await settle();
  EXPECT_EQ(scope.size(), 1U);
  co_await scope.close();
  EXPECT_EQ(scope.size(), 0U);
  EXPECT_TRUE(cancelled);
}

ASYNC_TEST(ScopeTest, a_failed_work_ends_alone) {
  Scope scope(executor(), "test");
  scope.spawn(fail_after(&clock_, 1ms));
  bool cancelled = false;
  scope.spawn(note_cancellation(&clock_, &cancelled));
  co_await let_pass(1ms);
  EXPECT_EQ(scope.size(), 1U);
  co_await scope.close();
}

ASYNC_TEST(ScopeTest, an_event_wakes_everybody_who_waits) {
  Event event(executor());
  Scope scope(executor(), "test");
  scope.spawn(event.wait());
  scope.spawn(event.wait());
  co_await settle();
  EXPECT_EQ(scope.size(), 2U);
  event.set();
  co_await scope.drain();
}

}  // namespace capstan
