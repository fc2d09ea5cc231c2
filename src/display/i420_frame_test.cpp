#include "display/i420_frame.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

constexpr PictureSize size{.width = 8, .height = 6};

void paint_red(const Picture& picture, const Area& area) {
  for (int y = area.y; y < area.y + area.height; ++y) {
    for (int x = area.x; x < area.x + area.width; ++x) {
      std::uint8_t* pixel = picture.at({.x = x, .y = y});
      pixel[0] = 0;
      pixel[1] = 0;
      pixel[2] = 255;
    }
  }
}

int brightness(const I420Frame& frame, int x, int y) {
  return static_cast<std::uint8_t>(frame.bytes()[static_cast<std::size_t>(y * size.width + x)]);
}

// Of the square of two pixels that this one lies in.
int redness(const I420Frame& frame, int x, int y) {
  int pixels = size.width * size.height;
  int offset = pixels + pixels / 4 + y / 2 * (size.width / 2) + x / 2;
  return static_cast<std::uint8_t>(frame.bytes()[static_cast<std::size_t>(offset)]);
}

}  // namespace

TEST(I420FrameTest, red_is_red_and_black_is_black) {
  Picture picture(size);
  I420Frame frame(size);
  paint_red(picture, {.x = 4, .y = 2, .width = 2, .height = 2});
  frame.update(picture, whole(size));
  EXPECT_EQ(frame.bytes().size(), 8U * 6 * 3 / 2);
  EXPECT_EQ(brightness(frame, 0, 0), 16);
  EXPECT_EQ(redness(frame, 0, 0), 128);
  EXPECT_NEAR(brightness(frame, 4, 2), 82, 2);  // BT.601
  EXPECT_NEAR(redness(frame, 4, 2), 240, 2);
}

TEST(I420FrameTest, takes_over_no_more_than_the_squares_that_an_area_touches) {
  Picture picture(size);
  I420Frame frame(size);
  frame.update(picture, whole(size));
  paint_red(picture, whole(size));
  frame.update(picture, {.x = 3, .y = 3, .width = 1, .height = 1});
  EXPECT_NEAR(brightness(frame, 2, 2), 82, 2);
  EXPECT_NEAR(brightness(frame, 3, 3), 82, 2);
  EXPECT_NEAR(redness(frame, 3, 3), 240, 2);
  EXPECT_EQ(brightness(frame, 1, 3), 16);
  EXPECT_EQ(brightness(frame, 4, 3), 16);
  EXPECT_EQ(brightness(frame, 3, 4), 16);
}

TEST(I420FrameTest, takes_over_the_last_column_and_line) {
  Picture picture(size);
  I420Frame frame(size);
  frame.update(picture, whole(size));
  paint_red(picture, whole(size));
  frame.update(picture, {.x = 7, .y = 5, .width = 1, .height = 1});
  EXPECT_NEAR(brightness(frame, 7, 5), 82, 2);
  EXPECT_EQ(brightness(frame, 5, 5), 16);
}

}  // namespace capstan
