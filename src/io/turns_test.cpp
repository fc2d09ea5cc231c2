#include "io/turns.h"

#include "io/loop_test.h"
#include "io/scope.h"

namespace capstan {

namespace {

Async<> take_turn(Turns* turns, Event* go_on, std::size_t* inside, std::size_t* ended) {
  auto turn = co_await turns->take();
  ++*inside;
  co_await go_on->wait();
  --*inside;
  ++*ended;
}

}  // namespace

class TurnsTest : public LoopTest {};

ASYNC_TEST(TurnsTest, no_more_than_so_many_have_one_and_all_get_theirs) {
  Turns turns(executor(), 2);
  Event go_on(executor());
  Scope scope(executor(), "takers");
  std::size_t inside = 0;
  std::size_t ended = 0;
  for (int i = 0; i < 5; ++i) {
    scope.spawn(take_turn(&turns, &go_on, &inside, &ended));
  }
  co_await settle();
  EXPECT_EQ(inside, 2U);
  go_on.set();
  co_await settle();
  EXPECT_EQ(inside, 0U);
  EXPECT_EQ(ended, 5U);
}

ASYNC_TEST(TurnsTest, who_gives_up_waiting_takes_no_turn) {
  Turns turns(executor(), 1);
  Event go_on(executor());
  std::size_t inside = 0;
  std::size_t ended = 0;
  Scope holders(executor(), "holders");
  holders.spawn(take_turn(&turns, &go_on, &inside, &ended));
  co_await settle();
  Scope waiters(executor(), "waiters");
  waiters.spawn(take_turn(&turns, &go_on, &inside, &ended));
  co_await settle();
  co_await waiters.close();
  go_on.set();
  co_await settle();
  EXPECT_EQ(ended, 1U);
  co_await turns.take();
}

}  // namespace capstan
