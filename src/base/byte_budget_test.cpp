#include "base/byte_budget.h"

#include <optional>

#include <gtest/gtest.h>

namespace capstan {
namespace {

TEST(ByteBudget, counts_what_all_hold_together) {
  ByteBudget budget(100);
  ByteBudget::Share one(budget);
  ByteBudget::Share other(budget);
  EXPECT_TRUE(one.set(60));
  EXPECT_TRUE(other.set(40));
  EXPECT_FALSE(other.set(41));
  EXPECT_TRUE(one.set(60));
  EXPECT_TRUE(one.set(59));
  EXPECT_TRUE(other.set(41));
}

TEST(ByteBudget, gets_back_what_a_party_held_that_has_gone) {
  ByteBudget budget(100);
  std::optional<ByteBudget::Share> gone(std::in_place, budget);
  EXPECT_TRUE(gone->set(100));
  gone.reset();
  ByteBudget::Share next(budget);
  EXPECT_TRUE(next.set(100));
}

}  // namespace
}  // namespace capstan
