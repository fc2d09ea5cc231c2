#include "io/semaphore.h"

#include "io/loop_test.h"
#include "io/scope.h"

namespace capstan {
namespace {

struct Room {
  int inside = 0;
  int most = 0;
  int visits = 0;
};

Async<> visit(Semaphore* semaphore, Clock* clock, Room* room) {
  Semaphore::Permit permit = co_await semaphore->acquire();
  room->most = std::max(room->most, ++room->inside);
  co_await clock->sleep(std::chrono::seconds(1));
  --room->inside;
  ++room->visits;
}

}  // namespace

class SemaphoreTest : public LoopTest {};

ASYNC_TEST(SemaphoreTest, lets_no_more_in_than_it_has_room_for_and_everybody_in_the_end) {
  Semaphore semaphore(executor(), 2);
  Scope scope(executor(), "test");
  Room room;
  for (int visitor = 0; visitor < 5; ++visitor) {
    scope.spawn(visit(&semaphore, &clock_, &room));
  }
  co_await settle();
  EXPECT_EQ(room.inside, 2);
  for (int visits : {2, 4, 5}) {
    co_await let_pass(std::chrono::seconds(1));
    EXPECT_EQ(room.visits, visits);
  }
  EXPECT_EQ(room.most, 2);
  EXPECT_EQ(scope.size(), 0U);
}

ASYNC_TEST(SemaphoreTest, a_cancelled_visitor_gives_its_place_back) {
  Semaphore semaphore(executor(), 1);
  Scope inside(executor(), "inside");
  Scope waiting(executor(), "waiting");
  Scope last(executor(), "last");
  Room room;
  inside.spawn(visit(&semaphore, &clock_, &room));
  co_await settle();
  waiting.spawn(visit(&semaphore, &clock_, &room));
  last.spawn(visit(&semaphore, &clock_, &room));
  co_await settle();
  co_await waiting.close();
  EXPECT_EQ(room.inside, 1) << "who waited had no place to give";
  co_await inside.close();
  co_await let_pass(std::chrono::seconds(1));
  EXPECT_EQ(room.visits, 1) << "the last one got in";
  EXPECT_EQ(last.size(), 0U);
}

ASYNC_TEST(SemaphoreTest, a_moved_permit_counts_once) {
  Semaphore semaphore(executor(), 1);
  Scope scope(executor(), "test");
  Room room;
  {
    Semaphore::Permit permit = co_await semaphore.acquire();
    {
      Semaphore::Permit moved = std::move(permit);
      scope.spawn(visit(&semaphore, &clock_, &room));
      scope.spawn(visit(&semaphore, &clock_, &room));
      co_await settle();
      EXPECT_EQ(room.inside, 0);
    }
    co_await settle();
    EXPECT_EQ(room.inside, 1);
  }
  co_await settle();
  EXPECT_EQ(room.inside, 1) << "the permit that was moved from gave nothing back";
  co_await let_pass(std::chrono::seconds(1));
  co_await let_pass(std::chrono::seconds(1));
  EXPECT_EQ(scope.size(), 0U);
}

}  // namespace capstan
