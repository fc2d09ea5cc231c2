#include "display/x11_screen.h"

#include <filesystem>

#include "cage/cage.h"
#include "io/loop_test.h"
#include "io/race.h"
#include "io/stream_pair.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

constexpr PictureSize size{.width = 320, .height = 200};

std::string two(unsigned value) {
  return {static_cast<char>(value & 0xff), static_cast<char>(value >> 8)};
}
std::string four(std::uint32_t value) { return two(value & 0xffff) + two(value >> 16); }

constexpr x11::Id pen_number = 9;

// What a program draws with, for which a screen has no use itself: CreateGC with a colour, and
// PolyFillRectangle.
std::string make_pen(const x11::Setup& setup, std::uint32_t colour) {
  return std::string("\x37\0\5\0", 4) + four(setup.id_base + pen_number) + four(setup.root) +
         four(1 << 2) + four(colour);
}
std::string fill(const x11::Setup& setup, const Area& area) {
  return std::string("\x46\0\5\0", 4) + four(setup.root) + four(setup.id_base + pen_number) +
         two(static_cast<unsigned>(area.x)) + two(static_cast<unsigned>(area.y)) +
         two(static_cast<unsigned>(area.width)) + two(static_cast<unsigned>(area.height));
}

}  // namespace

// A real Xvfb, in a cage whose program does nothing.
class X11ScreenTest : public LoopTest {
 public:
  void run(Async<> body) { LoopTest::run(live(std::move(body))); }

  // The screen, ready, in `screen_`.
  Async<> start(PictureSize expected = size) {
    ChildOrder order{.kind = CageKind::browser};
    order.command = [](const Interior&) {
      return Command{.program = "/usr/bin/sleep", .arguments = {"1000"}};
    };
    order.service =
        Service{.socket = "/tmp/.X11-unix/X0",
                .program = "/usr/bin/Xvfb",
                .arguments = {":0", "-screen", "0", "320x200x24", "-ac", "-noreset", "-nolisten",
                              "tcp", "-nolisten", "unix", "-nolisten", "local"}};
    child_ = co_await cage_.start_at(IsolationLevel::strict, std::move(order));
    picture_ = std::make_unique<Picture>(expected);
    screen_ =
        std::make_unique<X11Screen>(executor(), real_clock_, child_->take_service(), *picture_);
    scope_.spawn(screen_->live());
    co_await within(real_clock_, 30s, screen_->ready(), "waited in vain");
  }

  Async<Change> next_change() {
    co_await within(real_clock_, 20s, screen_->changed(1), "nothing has changed");
    co_return co_await screen_->update();
  }

  Async<> note_large_change(bool* is_large) {
    co_await screen_->changed(900);
    *is_large = true;
  }

  std::uint32_t colour_at(int x, int y) const {
    const std::uint8_t* pixel = picture_->at({.x = x, .y = y});
    return static_cast<std::uint32_t>(pixel[2] << 16 | pixel[1] << 8 | pixel[0]);
  }

 protected:
  Async<> live(Async<> body) {
    auto outcome = co_await outcome_of(std::move(body));
    co_await scope_.close();
    co_await cage_.close();
    std::move(outcome).take();
  }

  SystemClock real_clock_;
  Workers workers_{1};
  WorkFolder work_folder_{std::filesystem::temp_directory_path(), workers_};
  Cage cage_{executor(), work_folder_};
  std::unique_ptr<Child> child_;
  std::unique_ptr<Picture> picture_;
  std::unique_ptr<X11Screen> screen_;
  Scope scope_{executor(), "screen"};
};

ASYNC_TEST(X11ScreenTest, draws_into_the_picture_what_changes_on_the_screen) {
  co_await start();
  Change first = co_await next_change();
  EXPECT_EQ(first.area, whole(size));
  screen_->draw(make_pen(screen_->setup(), 0x12ab34));
  screen_->draw(fill(screen_->setup(), {.x = 30, .y = 20, .width = 10, .height = 5}));
  Change change = co_await next_change();
  EXPECT_EQ(change.area, (Area{.x = 30, .y = 20, .width = 10, .height = 5}));
  EXPECT_EQ(change.pixels, 50);
  EXPECT_EQ(colour_at(30, 20), 0x12ab34U);
  EXPECT_EQ(colour_at(39, 24), 0x12ab34U);
  EXPECT_EQ(colour_at(40, 24), 0U);
  EXPECT_EQ(colour_at(30, 25), 0U);
}

ASYNC_TEST(X11ScreenTest, several_changes_are_told_together) {
  co_await start();
  co_await next_change();
  screen_->draw(make_pen(screen_->setup(), 0xffffff));
  for (int i = 0; i < 4; ++i) {
    screen_->draw(fill(screen_->setup(), {.x = 10 + 50 * i, .y = 10 * i, .width = 2, .height = 2}));
  }
  Area seen;
  std::int64_t pixels = 0;
  while (seen != Area{.x = 10, .y = 0, .width = 152, .height = 32}) {
    Change change = co_await next_change();
    seen = join(seen, change.area);
    pixels += change.pixels;
  }
  EXPECT_EQ(pixels, 16);
}

ASYNC_TEST(X11ScreenTest, a_large_change_is_told_from_a_small_one) {
  co_await start();
  co_await next_change();
  screen_->draw(make_pen(screen_->setup(), 0xffffff));
  screen_->draw(fill(screen_->setup(), {.x = 10, .y = 10, .width = 4, .height = 4}));
  co_await within(real_clock_, 20s, screen_->changed(16), "the small one is not told");
  bool is_large = false;
  scope_.spawn(note_large_change(&is_large));
  screen_->draw(fill(screen_->setup(), {.x = 11, .y = 11, .width = 2, .height = 2}));
  co_await screen_->settled();
  EXPECT_FALSE(is_large);
  screen_->draw(fill(screen_->setup(), {.x = 40, .y = 40, .width = 1, .height = 1}));
  while (!is_large) {
    co_await real_clock_.sleep(2ms);
  }
  Change change = co_await screen_->update();
  EXPECT_EQ(change.area, (Area{.x = 10, .y = 10, .width = 31, .height = 31}));
  EXPECT_EQ(change.pixels, 17);
}

ASYNC_TEST(X11ScreenTest, presses_on_a_screen_without_windows_wait_for_nobody) {
  co_await start();
  screen_->press(x11::Press::key_down, 38);
  screen_->press(x11::Press::key_up, 38);
  co_await within(real_clock_, 1s, screen_->presses_taken(), "waited for a window");
}

ASYNC_TEST(X11ScreenTest, a_screen_of_another_size_is_refused) {
  auto started = co_await outcome_of(start({.width = 640, .height = 480}));
  EXPECT_FALSE(started.ok());
}

ASYNC_TEST(X11ScreenTest, an_update_fails_once_the_display_has_gone) {
  co_await start();
  co_await next_change();
  child_->kill();
  co_await within(real_clock_, 20s, screen_->changed(1), "nobody told");
  auto updated = co_await outcome_of(screen_->update());
  EXPECT_FALSE(updated.ok());
}

ASYNC_TEST(X11ScreenTest, what_is_not_an_x_server_is_told_from_one) {
  StreamPair pair = make_socket_pair();
  Stream other(executor(), std::move(pair.theirs));
  picture_ = std::make_unique<Picture>(size);
  screen_ = std::make_unique<X11Screen>(executor(), real_clock_, std::move(pair.ours), *picture_);
  scope_.spawn(screen_->live());
  co_await other.write("HTTP/1.1 400 Bad Request\r\n\r\n");
  auto ready = co_await outcome_of(within(real_clock_, 20s, screen_->ready(), "waited in vain"));
  EXPECT_FALSE(ready.ok());
  EXPECT_NE(ready.error().message().find("X server"), std::string::npos);
}

}  // namespace capstan
