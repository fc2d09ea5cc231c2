#include "base/failure_streak.h"

#include <gtest/gtest.h>

namespace capstan {

TEST(FailureStreak, three_in_a_row_are_trouble_until_a_success) {
  FailureStreak failures;
  failures.add("one");
  failures.add("two");
  EXPECT_EQ(failures.trouble(), std::nullopt);
  failures.add("three");
  EXPECT_EQ(failures.trouble(), "three");
  failures.add("four");
  EXPECT_EQ(failures.trouble(), "four");
  failures.end();
  EXPECT_EQ(failures.trouble(), std::nullopt);
  failures.add("five");
  failures.add("six");
  EXPECT_EQ(failures.trouble(), std::nullopt) << "a success in between begins a new row";
}

TEST(FailureStreak, one_without_doubt_is_trouble) {
  FailureStreak failures;
  failures.add_certain("it is not there");
  EXPECT_EQ(failures.trouble(), "it is not there");
}

}  // namespace capstan
