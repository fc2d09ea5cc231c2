#include "display/screencast.h"

#include <algorithm>

#include "base/text.h"
#include "cdp/devtools_test.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

constexpr PictureSize size{.width = 64, .height = 48};
constexpr Duration live_interval = 20ms;
constexpr Duration recorded_interval = 100ms;

std::string picture_of(std::uint8_t green) {
  Picture picture(size);
  for (int x = 0; x < size.width; ++x) {
    for (int y = 0; y < size.height; ++y) {
      picture.at({.x = x, .y = y})[1] = green;
    }
  }
  return encode_base64(encode_jpeg(picture, whole(size), 90));
}

}  // namespace

class ScreencastTest : public DevToolsTest {
 protected:
  // A screencast of the one page of a browser that is played, which somebody looks at.
  Async<> look(Duration interval) {
    open();
    scope_.spawn(play());
    screencast_.emplace(executor(), clock_, workers_, *devtools_, picture_);
    scope_.spawn(live());
    screencast_->look(interval);
    while (count_of("Page.startScreencast") == 0) {
      // Whatever is said before the screencast has joined as S1 reaches nobody.
      co_await say(R"({"method":"Target.targetCreated","sessionId":"S1","params":{"targetInfo":)"
                   R"({"targetId":"page","type":"page","title":"","url":""}}})");
      co_await settle();
    }
  }

  Async<> live() { auto ended = co_await outcome_of(screencast_->live()); }

  Async<> show_frame(std::uint8_t green, int cast = 1) {
    json::object params{{"data", picture_of(green)},
                        {"metadata", {{"deviceWidth", size.width}}},
                        {"sessionId", cast}};
    co_await say(json::serialize(
        json::object{{"method", "Page.screencastFrame"}, {"params", params}, {"sessionId", "S2"}}));
    co_await page_has_heard_all();
  }

  // And said what it had to say before.
  Async<> page_has_heard_all() {
    screencast_->tell_page("Test.something", {});
    co_await screencast_->pages_have_done();
  }

  Async<> show_and_draw_frames(int count) {
    for (int i = 0; i < count; ++i) {
      co_await show_frame(static_cast<std::uint8_t>(10 * i));
      co_await screencast_->update();
      co_await page_has_heard_all();
    }
  }

  std::ptrdiff_t count_of(std::string_view method) const {
    return std::count_if(heard_.begin(), heard_.end(), [&](const std::string& command) {
      return command.find(method) != std::string::npos;
    });
  }

  Picture picture_{size};
  Workers workers_{1};
  std::optional<Screencast> screencast_;
};

ASYNC_TEST(ScreencastTest, draws_the_newest_frame_and_acknowledges_one_for_each_that_it_drew) {
  co_await look(live_interval);
  co_await show_frame(50, 7);
  co_await show_frame(200, 7);
  EXPECT_EQ(count_of("Page.screencastFrameAck"), 0);
  Change change = co_await screencast_->update();
  EXPECT_EQ(change.area, whole(size));
  EXPECT_NEAR(picture_.at({.x = 30, .y = 20})[1], 200, 4);
  co_await page_has_heard_all();
  EXPECT_EQ(count_of("Page.screencastFrameAck"), 1);
  EXPECT_EQ(count_of(R"("params":{"sessionId":7})"), 1);
  co_await close();
}

// Chromium leaves out the frames for which it has had no acknowledgement in time.
ASYNC_TEST(ScreencastTest, asks_for_a_fresh_frame_when_frames_that_came_close_together_have_ended) {
  co_await look(live_interval);
  co_await show_and_draw_frames(3);
  co_await let_pass(249ms);
  co_await page_has_heard_all();
  EXPECT_EQ(count_of("Page.startScreencast"), 1);
  co_await let_pass(50ms);
  co_await page_has_heard_all();
  EXPECT_EQ(count_of("Page.stopScreencast"), 1);
  EXPECT_EQ(count_of("Page.startScreencast"), 2);
  co_await show_frame(250, 2);
  co_await let_pass(10s);
  co_await page_has_heard_all();
  EXPECT_EQ(count_of("Page.startScreencast"), 2) << "once is enough";
  co_await close();
}

ASYNC_TEST(ScreencastTest, asks_for_no_fresh_frame_after_each_that_comes_now_and_then) {
  co_await look(live_interval);
  for (int i = 0; i < 10; ++i) {
    co_await show_and_draw_frames(1);
    co_await let_pass(500ms);
  }
  EXPECT_EQ(count_of("Page.screencastFrameAck"), 10);
  EXPECT_EQ(count_of("Page.startScreencast"), 1);
  co_await close();
}

ASYNC_TEST(ScreencastTest, waits_with_a_fresh_frame_while_chromium_may_send_none) {
  co_await look(live_interval);
  for (int i = 0; i < 3; ++i) {
    co_await show_frame(50);
  }
  co_await let_pass(1s);
  co_await page_has_heard_all();
  EXPECT_EQ(count_of("Page.startScreencast"), 1);
  co_await screencast_->update();
  co_await let_pass(250ms);
  co_await let_pass(50ms);
  co_await page_has_heard_all();
  EXPECT_EQ(count_of("Page.startScreencast"), 2);
  co_await close();
}

ASYNC_TEST(ScreencastTest, what_moves_all_the_time_is_cast_only_for_who_watches_live) {
  co_await look(recorded_interval);
  for (int i = 0; i < 20; ++i) {
    co_await show_and_draw_frames(1);
    co_await let_pass(60ms);
  }
  co_await page_has_heard_all();
  EXPECT_EQ(count_of("Page.stopScreencast"), 1);
  EXPECT_GE(count_of("Page.captureScreenshot"), 1);
  screencast_->look(live_interval);
  co_await let_pass(500ms);
  co_await page_has_heard_all();
  EXPECT_EQ(count_of("Page.startScreencast"), 2);
  co_await close();
}

}  // namespace capstan
