#include "base/log_budget.h"

#include <chrono>

#include <gtest/gtest.h>

namespace capstan {
namespace {

using namespace std::chrono_literals;

TEST(LogBudget, has_room_for_so_many_lines_a_minute) {
  LogBudget budget(2);
  SteadyTime now{1h};
  EXPECT_TRUE(budget.may_tell(now));
  EXPECT_TRUE(budget.may_tell(now + 30s));
  EXPECT_FALSE(budget.may_tell(now + 59s));
  EXPECT_TRUE(budget.may_tell(now + 60s));
}

TEST(LogBudget, counts_what_was_not_told_once) {
  LogBudget budget(1);
  SteadyTime now{1h};
  EXPECT_TRUE(budget.may_tell(now));
  EXPECT_FALSE(budget.take_untold());
  EXPECT_FALSE(budget.may_tell(now));
  EXPECT_FALSE(budget.may_tell(now));
  EXPECT_EQ(budget.take_untold(), 2U);
  EXPECT_FALSE(budget.take_untold());
}

}  // namespace
}  // namespace capstan
