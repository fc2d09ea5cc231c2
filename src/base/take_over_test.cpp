#include "base/take_over.h"

#include <string>

#include <gtest/gtest.h>

namespace capstan {

TEST(TakeOver, takes_what_was_given_and_keeps_what_was_not) {
  std::optional<std::string> field;
  take_over(field, {});
  EXPECT_EQ(field, std::nullopt);
  take_over(field, {"first"});
  EXPECT_EQ(field, "first");
  take_over(field, {});
  EXPECT_EQ(field, "first");
  take_over(field, {""});
  EXPECT_EQ(field, "") << "an empty one was given, too";
}

}  // namespace capstan
