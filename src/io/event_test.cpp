#include "io/event.h"

#include "io/loop_test.h"
#include "io/scope.h"

namespace capstan {
namespace {

Async<> count_when_set(Event* event, int* count) {
  co_await event->wait();
  ++*count;
}

Async<> note_ending(Event* event, std::optional<ErrorCode>* code) {
  auto outcome = co_await outcome_of(event->wait());
  *code = outcome.ok() ? std::optional<ErrorCode>() : outcome.error().code();
}

}  // namespace

class EventTest : public LoopTest {};

ASYNC_TEST(EventTest, set_wakes_on_the_next_turn_and_never_inside) {
  Event event(executor());
  Scope scope(executor(), "test");
  int count = 0;
  scope.spawn(count_when_set(&event, &count));
  scope.spawn(count_when_set(&event, &count));
  co_await settle();
  event.set();
  EXPECT_EQ(count, 0);
  co_await scope.drain();
  EXPECT_EQ(count, 2);
}

ASYNC_TEST(EventTest, waiting_returns_at_once_until_it_is_cleared) {
  Event event(executor());
  event.set();
  EXPECT_TRUE(event.is_set());
  co_await event.wait();
  co_await event.wait();
  event.clear();
  EXPECT_FALSE(event.is_set());
  Scope scope(executor(), "test");
  int count = 0;
  scope.spawn(count_when_set(&event, &count));
  co_await settle();
  EXPECT_EQ(count, 0);
  event.set();
  co_await scope.drain();
  EXPECT_EQ(count, 1);
}

ASYNC_TEST(EventTest, a_flag_that_is_lowered_again_at_once_still_wakes_who_waited) {
  Event event(executor());
  Scope scope(executor(), "test");
  int count = 0;
  scope.spawn(count_when_set(&event, &count));
  co_await settle();
  event.set();
  event.clear();
  co_await scope.drain();
  EXPECT_EQ(count, 1);
}

ASYNC_TEST(EventTest, a_cancelled_wait_throws_and_leaves_the_others_waiting) {
  Event event(executor());
  Scope cancelled(executor(), "cancelled");
  Scope staying(executor(), "staying");
  std::optional<ErrorCode> code;
  int count = 0;
  cancelled.spawn(note_ending(&event, &code));
  staying.spawn(count_when_set(&event, &count));
  co_await settle();
  co_await cancelled.close();
  EXPECT_EQ(code, ErrorCode::cancelled);
  EXPECT_EQ(count, 0);
  event.set();
  co_await staying.drain();
  EXPECT_EQ(count, 1);
}

}  // namespace capstan
