#include "io/warm_pool.h"

#include "io/loop_test.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

struct Toy;

// Makes toys as the test tells it to, and counts them.
struct Workshop {
  explicit Workshop(const Executor& executor) : open(executor) { open.set(); }

  Async<std::unique_ptr<Toy>> make();

  Event open;  // making waits for it
  int failures_ahead = 0;
  int attempts = 0;
  int made = 0;
  int closed = 0;
  std::vector<Toy*> toys;  // all that were made, dead ones included
};

struct Toy {
  Toy(Workshop* maker, int serial) : workshop(maker), number(serial) {}
  ~Toy() { EXPECT_TRUE(is_closed) << "toy " << number << " was dropped"; }

  bool is_gone() const { return gone; }
  Async<> close() {
    co_await workshop->open.wait();
    is_closed = true;
    ++workshop->closed;
  }

  Workshop* workshop;
  int number;
  bool gone = false;
  bool is_closed = false;
};

Async<std::unique_ptr<Toy>> Workshop::make() {
  ++attempts;
  co_await open.wait();
  if (failures_ahead > 0) {
    --failures_ahead;
    throw Error(ErrorCode::unavailable, "no wood");
  }
  auto toy = std::make_unique<Toy>(this, ++made);
  toys.push_back(toy.get());
  co_return toy;
}

using ToyPool = WarmPool<Toy>;

Async<> close_pool(ToyPool* pool, bool* closed) {
  co_await pool->close();
  *closed = true;
}

// The number of the toy that was taken; the toy is closed, as a taker's duty is.
Async<int> take_number(ToyPool* pool) {
  std::unique_ptr<Toy> toy = co_await pool->take();
  EXPECT_FALSE(toy->is_gone());
  int number = toy->number;
  co_await toy->close();
  co_return number;
}

Async<> take_into(ToyPool* pool, int* number) { *number = co_await take_number(pool); }

}  // namespace

class WarmPoolTest : public LoopTest {
 public:
  ToyPool make_pool(std::size_t wanted) {
    return ToyPool(executor(), clock_, "toys", wanted, [this] { return workshop_.make(); });
  }

 protected:
  Workshop workshop_{context_.get_executor()};
};

ASYNC_TEST(WarmPoolTest, makes_as_many_as_are_wanted_and_no_more) {
  ToyPool pool = make_pool(3);
  co_await let_pass(1h);
  EXPECT_EQ(workshop_.attempts, 0) << "nobody has told it to begin";
  pool.start_refill();
  pool.start_refill();
  co_await let_pass(50ms);
  EXPECT_EQ(pool.ready_count(), 3U);
  co_await let_pass(1h);
  EXPECT_EQ(workshop_.made, 3);
  co_await pool.close();
  EXPECT_EQ(workshop_.closed, 3);
  EXPECT_EQ(pool.ready_count(), 0U);
}

ASYNC_TEST(WarmPoolTest, gives_the_oldest_and_refills_once_the_taker_has_gone_ahead) {
  ToyPool pool = make_pool(2);
  pool.start_refill();
  co_await let_pass(50ms);
  EXPECT_EQ(co_await take_number(&pool), 1);
  co_await settle();
  EXPECT_EQ(workshop_.attempts, 2) << "the refill waits a moment";
  co_await let_pass(50ms);
  EXPECT_EQ(pool.ready_count(), 2U);
  EXPECT_EQ(co_await take_number(&pool), 2);
  EXPECT_EQ(co_await take_number(&pool), 3);
  co_await pool.close();
}

ASYNC_TEST(WarmPoolTest, makes_one_now_when_none_is_warm) {
  ToyPool pool = make_pool(0);
  pool.start_refill();
  EXPECT_EQ(co_await take_number(&pool), 1);
  workshop_.failures_ahead = 1;
  auto outcome = co_await outcome_of(pool.take());
  EXPECT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().message(), "no wood");
  co_await let_pass(1h);
  EXPECT_EQ(pool.ready_count(), 0U);
  co_await pool.close();
}

ASYNC_TEST(WarmPoolTest, what_has_gone_while_it_waited_is_closed_and_replaced) {
  ToyPool pool = make_pool(3);
  pool.start_refill();
  co_await let_pass(50ms);
  workshop_.toys[0]->gone = true;
  workshop_.toys[1]->gone = true;
  EXPECT_EQ(co_await take_number(&pool), 3);
  co_await settle();
  EXPECT_EQ(workshop_.closed, 3) << "the two that had gone, and the one that was taken";
  co_await let_pass(50ms);
  EXPECT_EQ(pool.ready_count(), 3U);
  for (Toy* toy : std::vector(workshop_.toys.begin() + 3, workshop_.toys.end())) {
    toy->gone = true;
  }
  EXPECT_EQ(co_await take_number(&pool), 7) << "all have gone: one is made now";
  co_await pool.close();
}

ASYNC_TEST(WarmPoolTest, a_failing_maker_is_asked_less_and_less_often_but_once_a_minute) {
  ToyPool pool = make_pool(1);
  workshop_.failures_ahead = 10;
  pool.start_refill();
  co_await let_pass(50ms);
  EXPECT_EQ(workshop_.attempts, 1);
  int attempts = 1;
  for (Duration patience : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s, 60s}) {
    co_await let_pass(patience - 1ms);
    EXPECT_EQ(workshop_.attempts, attempts) << "not yet";
    co_await let_pass(1ms);
    EXPECT_EQ(workshop_.attempts, ++attempts);
  }
  EXPECT_EQ(pool.ready_count(), 0U);
  co_await let_pass(60s);
  EXPECT_EQ(pool.ready_count(), 1U);
  co_await pool.close();
}

ASYNC_TEST(WarmPoolTest, one_success_makes_it_patient_no_longer) {
  ToyPool pool = make_pool(2);
  workshop_.failures_ahead = 3;
  pool.start_refill();
  co_await let_pass(50ms);
  co_await let_pass(1s);
  co_await let_pass(2s);
  EXPECT_EQ(workshop_.attempts, 3);
  co_await let_pass(4s);
  EXPECT_EQ(pool.ready_count(), 2U);
  workshop_.failures_ahead = 1;
  EXPECT_EQ(co_await take_number(&pool), 1);
  co_await let_pass(50ms);
  EXPECT_EQ(pool.ready_count(), 1U);
  co_await let_pass(1s);
  EXPECT_EQ(pool.ready_count(), 2U) << "a second after the failure, not eight";
  co_await pool.close();
}

ASYNC_TEST(WarmPoolTest, while_making_fails_a_taker_is_told_at_once) {
  ToyPool pool = make_pool(1);
  workshop_.failures_ahead = 2;
  pool.start_refill();
  co_await let_pass(50ms);
  auto outcome = co_await outcome_of(pool.take());
  EXPECT_FALSE(outcome.ok());
  EXPECT_EQ(co_await take_number(&pool), 1) << "and the next one may be lucky";
  co_await pool.close();
}

ASYNC_TEST(WarmPoolTest, closing_while_one_is_being_made_waits_for_it_and_closes_it) {
  ToyPool pool = make_pool(2);
  Scope scope(executor(), "test");
  bool closed = false;
  workshop_.open.clear();
  pool.start_refill();
  co_await let_pass(50ms);
  EXPECT_EQ(workshop_.attempts, 1);
  scope.spawn(close_pool(&pool, &closed));
  co_await let_pass(1h);
  EXPECT_FALSE(closed);
  workshop_.open.set();
  co_await scope.drain();
  EXPECT_TRUE(closed);
  EXPECT_EQ(workshop_.made, 1) << "no second one was begun";
  EXPECT_EQ(workshop_.closed, 1);
}

ASYNC_TEST(WarmPoolTest, closing_does_not_wait_for_its_patience_to_end) {
  ToyPool pool = make_pool(1);
  workshop_.failures_ahead = 100;
  pool.start_refill();
  co_await let_pass(50ms);
  co_await pool.close();
  EXPECT_EQ(workshop_.attempts, 1);
  pool.start_refill();
  co_await let_pass(1h);
  EXPECT_EQ(workshop_.attempts, 1) << "a closed pool makes nothing ahead";
}

ASYNC_TEST(WarmPoolTest, who_waits_for_one_while_it_closes_still_gets_it) {
  ToyPool pool = make_pool(0);
  Scope scope(executor(), "test");
  int number = 0;
  workshop_.open.clear();
  scope.spawn(take_into(&pool, &number));
  co_await settle();
  co_await pool.close();
  workshop_.open.set();
  co_await scope.drain();
  EXPECT_EQ(number, 1);
}

}  // namespace capstan
