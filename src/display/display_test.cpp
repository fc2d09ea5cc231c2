#include "display/display.h"

#include "io/loop_test.h"
#include "io/race.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

constexpr PictureSize size{.width = 100, .height = 50};
constexpr Area dot{.x = 5, .y = 6, .width = 2, .height = 2};

// A source that changes when the test says so.
class PlayedSource final : public PictureSource {
 public:
  explicit PlayedSource(const Executor& executor) : changed_(executor), gone_(executor) {}

  Async<> live() override { return gone_.wait(); }
  void look(std::optional<Duration> interval) override { is_looked_at = interval.has_value(); }
  Async<> changed(std::int64_t pixels) override {
    while (change_.pixels < pixels) {
      changed_.clear();
      co_await changed_.wait();
    }
  }
  Async<Change> update() override {
    ++updates;
    if (fails) {
      throw Error(ErrorCode::unavailable, "the display does not answer");
    }
    co_return std::exchange(change_, {});
  }

  void change(const Area& area) {
    change_.add({.area = area, .pixels = area.pixels()});
    changed_.set();
  }
  void leave() { gone_.set(); }

  int updates = 0;
  bool is_looked_at = false;
  bool fails = false;

 private:
  Change change_;
  Event changed_;
  Event gone_;
};

}  // namespace

class DisplayTest : public LoopTest {
 public:
  void run(Async<> body) { LoopTest::run(live(std::move(body))); }

 protected:
  Async<> live(Async<> body) {
    auto outcome = co_await outcome_of(std::move(body));
    co_await display_.close();
    std::move(outcome).take();
  }

  PlayedSource& source() { return *source_; }

  PlayedSource* source_ = new PlayedSource(executor());
  Display display_{executor(), clock_, std::make_unique<Picture>(size),
                   std::unique_ptr<PictureSource>(source_)};
};

ASYNC_TEST(DisplayTest, costs_nothing_while_nobody_looks) {
  source().change(dot);
  co_await let_pass(10s);
  EXPECT_EQ(source().updates, 0);
  EXPECT_FALSE(source().is_looked_at);
  {
    Display::Look look(display_, 100ms);
    EXPECT_TRUE(source().is_looked_at);
    co_await settle();
    EXPECT_EQ(source().updates, 1);
  }
  EXPECT_FALSE(source().is_looked_at);
  source().change(dot);
  co_await let_pass(10s);
  EXPECT_EQ(source().updates, 1);
}

ASYNC_TEST(DisplayTest, who_begins_to_look_sees_all_of_it_also_when_nothing_changes) {
  Display::Look first(display_, 100ms);
  EXPECT_FALSE(display_.has_shown());
  source().change(dot);
  co_await first.changed();
  EXPECT_TRUE(display_.has_shown());
  EXPECT_EQ(first.take_change().area, whole(size));
  Display::Look late(display_, 100ms);
  co_await late.changed();
  EXPECT_EQ(late.take_change().area, whole(size));
}

ASYNC_TEST(DisplayTest, tells_each_one_what_has_changed_since_it_looked_last) {
  Display::Look quick(display_, 10ms);
  Display::Look slow(display_, 10ms);
  quick.take_change();
  slow.take_change();
  source().change(dot);
  co_await quick.changed();
  EXPECT_EQ(quick.take_change().area, dot);
  co_await let_pass(10ms);
  source().change({.x = 50, .y = 6, .width = 1, .height = 1});
  co_await quick.changed();
  EXPECT_EQ(quick.take_change().area, (Area{.x = 50, .y = 6, .width = 1, .height = 1}));
  EXPECT_EQ(slow.change().pixels, 5);
  EXPECT_EQ(slow.take_change().area, (Area{.x = 5, .y = 6, .width = 46, .height = 2}));
}

ASYNC_TEST(DisplayTest, looks_no_more_often_than_the_most_eager_one_wants) {
  Display::Look slow(display_, 100ms);
  source().change(dot);
  co_await settle();
  EXPECT_EQ(source().updates, 1);
  source().change(dot);
  co_await let_pass(99ms);
  EXPECT_EQ(source().updates, 1);
  co_await let_pass(1ms);
  EXPECT_EQ(source().updates, 2);
  Display::Look eager(display_, 10ms);
  source().change(dot);
  co_await let_pass(10ms);
  EXPECT_EQ(source().updates, 3);
}

ASYNC_TEST(DisplayTest, lets_small_changes_wait_for_who_wants_that) {
  const Area large{.width = 100, .height = 2};
  Display::Look patient(display_, 100ms, 500ms);
  source().change(large);
  co_await settle();
  EXPECT_EQ(source().updates, 1);
  source().change(dot);
  co_await let_pass(499ms);
  EXPECT_EQ(source().updates, 1);
  co_await let_pass(1ms);
  EXPECT_EQ(source().updates, 2);
  source().change(dot);
  co_await let_pass(100ms);
  EXPECT_EQ(source().updates, 2);
  source().change(large);  // on top of it
  co_await settle();
  EXPECT_EQ(source().updates, 3);
  source().change(dot);
  co_await let_pass(100ms);
  EXPECT_EQ(source().updates, 3);
  Display::Look eager(display_, 10ms);
  co_await settle();
  EXPECT_EQ(source().updates, 4);
  EXPECT_TRUE(display_.is_small(199));
  EXPECT_FALSE(display_.is_small(200));
}

ASYNC_TEST(DisplayTest, stays_as_it_is_while_somebody_holds_it) {
  Display::Look look(display_, 1ms);
  look.take_change();
  {
    Semaphore::Permit still = co_await display_.hold();
    source().change(dot);
    co_await let_pass(1s);
    EXPECT_EQ(source().updates, 0);
  }
  co_await look.changed();
  EXPECT_EQ(source().updates, 1);
}

ASYNC_TEST(DisplayTest, who_looks_is_told_when_the_source_has_gone) {
  Display::Look look(display_, 1ms);
  look.take_change();
  source().leave();
  co_await look.changed();
  EXPECT_TRUE(display_.has_ended());
  look.take_change();
  co_await look.changed();  // and does not wait for what can't come
}

ASYNC_TEST(DisplayTest, ends_when_the_source_can_not_be_read_any_more) {
  Display::Look look(display_, 1ms);
  look.take_change();
  source().fails = true;
  source().change(dot);
  co_await look.changed();
  EXPECT_TRUE(display_.has_ended());
}

}  // namespace capstan
