#include "display/picture.h"

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace capstan {

TEST(PictureTest, two_areas_are_joined_to_the_smallest_that_holds_both) {
  EXPECT_EQ(join({.x = 10, .y = 20, .width = 5, .height = 5},
                 {.x = 0, .y = 22, .width = 2, .height = 10}),
            (Area{.x = 0, .y = 20, .width = 15, .height = 12}));
  EXPECT_EQ(join({}, {.x = 3, .y = 3, .width = 1, .height = 1}),
            (Area{.x = 3, .y = 3, .width = 1, .height = 1}));
  EXPECT_EQ(join({.x = 3, .y = 3, .width = 1, .height = 1}, {}),
            (Area{.x = 3, .y = 3, .width = 1, .height = 1}));
}

TEST(PictureTest, what_lies_outside_is_cut_off) {
  PictureSize size{.width = 100, .height = 50};
  EXPECT_EQ(clip({.x = -10, .y = 40, .width = 30, .height = 30}, size),
            (Area{.x = 0, .y = 40, .width = 20, .height = 10}));
  EXPECT_TRUE(clip({.x = 200, .y = 0, .width = 10, .height = 10}, size).is_empty());
  EXPECT_TRUE(clip({.x = 0, .y = -20, .width = 10, .height = 10}, size).is_empty());
}

TEST(PictureTest, changes_that_lie_over_each_other_count_once_at_most) {
  Change change;
  for (int i = 0; i < 3; ++i) {
    change.add({.area = {.x = 1, .y = 1, .width = 10, .height = 10}, .pixels = 60});
  }
  EXPECT_EQ(change.pixels, 100);
  EXPECT_EQ(change.area, (Area{.x = 1, .y = 1, .width = 10, .height = 10}));
}

TEST(PictureTest, nobody_can_change_the_size_of_its_memory) {
  Picture picture({.width = 16, .height = 16});
  EXPECT_NE(::ftruncate(picture.file().get(), 0), 0);
  EXPECT_NE(::ftruncate(picture.file().get(), 4096 * 1024), 0);
  EXPECT_NE(::fcntl(picture.file().get(), F_ADD_SEALS, F_SEAL_WRITE), 0);
  EXPECT_EQ(picture.at({.x = 1, .y = 1}) - picture.at({}), 16 * 4 + 4);
}

}  // namespace capstan
