#include "display/jpeg.h"

#include <gtest/gtest.h>

#include "io/outcome.h"

namespace capstan {
namespace {

constexpr PictureSize size{.width = 64, .height = 48};

void paint(const Picture& picture, const Area& area, std::uint8_t blue, std::uint8_t red) {
  for (int y = area.y; y < area.y + area.height; ++y) {
    for (int x = area.x; x < area.x + area.width; ++x) {
      std::uint8_t* pixel = picture.at({.x = x, .y = y});
      pixel[0] = blue;
      pixel[1] = 0;
      pixel[2] = red;
    }
  }
}

Image image_of(const Area& area, std::uint8_t red) {
  Image image{.size = {.width = area.width, .height = area.height}, .pixels = {}};
  for (std::int64_t i = 0; i < area.pixels(); ++i) {
    image.pixels.insert(image.pixels.end(), {0, 0, red, 0});
  }
  return image;
}

}  // namespace

TEST(JpegTest, a_part_of_a_picture_goes_there_and_back) {
  Picture picture(size);
  paint(picture, {.x = 16, .y = 16, .width = 32, .height = 16}, 200, 30);
  std::string jpeg = encode_jpeg(picture, {.x = 16, .y = 16, .width = 32, .height = 16}, 90);
  Image image = decode_jpeg(jpeg, size);
  EXPECT_EQ(image.size, (PictureSize{.width = 32, .height = 16}));
  EXPECT_NEAR(image.pixels[0], 200, 4);
  EXPECT_NEAR(image.pixels[1], 0, 4);
  EXPECT_NEAR(image.pixels[2], 30, 4);
}

TEST(JpegTest, what_is_no_jpeg_is_refused) {
  EXPECT_THROW(decode_jpeg("", size), Error);
  EXPECT_THROW(decode_jpeg("GIF89a and more", size), Error);
}

TEST(JpegTest, more_pixels_than_expected_are_refused_before_they_take_memory) {
  Picture picture({.width = 640, .height = 40});
  std::string jpeg = encode_jpeg(picture, whole(picture.size()), 75);
  EXPECT_NO_THROW(decode_jpeg(jpeg, {.width = 80, .height = 40}));
  EXPECT_THROW(decode_jpeg(jpeg, {.width = 79, .height = 40}), Error);
}

TEST(JpegTest, what_is_larger_than_wanted_is_made_to_fit) {
  Picture picture({.width = 1000, .height = 500});
  paint(picture, {.x = 0, .y = 0, .width = 500, .height = 500}, 200, 30);
  std::string jpeg = encode_jpeg(picture, whole(picture.size()), 90);
  Image decoded = decode_jpeg(jpeg, {.width = 200, .height = 200});
  EXPECT_EQ(decoded.size, (PictureSize{.width = 500, .height = 250}));
  Image fitted = fit(decoded, {.width = 200, .height = 200});
  EXPECT_EQ(fitted.size, (PictureSize{.width = 200, .height = 100}));
  EXPECT_NEAR(fitted.pixels[0], 200, 4);
  EXPECT_NEAR(fitted.pixels[fitted.pixels.size() - 4], 0, 4);
  EXPECT_EQ(fit(fitted, {.width = 300, .height = 300}).size, fitted.size);
}

TEST(JpegTest, a_thumbnail_shows_all_in_small) {
  Picture picture({.width = 1440, .height = 988});
  paint(picture, {.x = 720, .y = 0, .width = 720, .height = 988}, 10, 220);
  std::string jpeg = encode_thumbnail(picture, 320, 80);
  EXPECT_LT(jpeg.size(), 10'000U);
  Image image = decode_jpeg(jpeg, picture.size());
  EXPECT_EQ(image.size, (PictureSize{.width = 320, .height = 219}));
  EXPECT_NEAR(image.pixels[2], 0, 4);
  EXPECT_NEAR(image.pixels[image.pixels.size() - 2], 220, 4);
}

TEST(JpegTest, half_a_jpeg_is_drawn_or_refused) {
  Picture picture(size);
  paint(picture, whole(size), 100, 100);
  std::string jpeg = encode_jpeg(picture, whole(size), 75);
  for (std::size_t length = 0; length < jpeg.size(); ++length) {
    auto image = outcome_of_call(
        [&] { return decode_jpeg(std::string_view(jpeg).substr(0, length), size); });
    if (!image.ok()) {
      EXPECT_EQ(image.error().code(), ErrorCode::unavailable);
    }
  }
}

TEST(JpegTest, drawing_says_what_has_changed) {
  Picture picture(size);
  Change first = draw(image_of(whole(size), 9), picture);
  EXPECT_EQ(first.area, whole(size));
  Change none = draw(image_of(whole(size), 9), picture);
  EXPECT_TRUE(none.area.is_empty());
  Image image = image_of(whole(size), 9);
  image.pixels[(5 * 64 + 7) * 4] = 1;
  image.pixels[(6 * 64 + 20) * 4] = 1;
  Change change = draw(image, picture);
  EXPECT_EQ(change.area, (Area{.x = 7, .y = 5, .width = 14, .height = 2}));
  EXPECT_EQ(change.pixels, 2);
}

TEST(JpegTest, a_smaller_image_leaves_the_rest_black_and_a_larger_one_is_cut) {
  Picture picture(size);
  draw(image_of(whole(size), 9), picture);
  Change change = draw(image_of({.width = 10, .height = 10}, 9), picture);
  EXPECT_EQ(change.area, whole(size));
  EXPECT_EQ(picture.at({.x = 9, .y = 9})[2], 9);
  EXPECT_EQ(picture.at({.x = 10, .y = 9})[2], 0);
  EXPECT_EQ(picture.at({.x = 9, .y = 10})[2], 0);
  draw(image_of({.width = 200, .height = 200}, 7), picture);
  EXPECT_EQ(picture.at({.x = 63, .y = 47})[2], 7);
}

}  // namespace capstan
