#include "session/slots.h"

#include <gtest/gtest.h>
#include <prometheus/gauge.h>

#include "io/outcome.h"

namespace capstan {

using namespace std::chrono_literals;

class SlotsTest : public testing::Test {
 protected:
  Metrics metrics_;
  prometheus::Gauge& gauge_ = metrics_.gauge("test_slots", "Slots in use.");
  Slots slots_{"sessions", 3, 2, gauge_};
};

TEST_F(SlotsTest, a_slot_is_given_back_when_it_goes) {
  {
    Slot slot = slots_.take("acme");
    EXPECT_EQ(slots_.used(), 1U);
    EXPECT_EQ(gauge_.Value(), 1);
  }
  EXPECT_EQ(slots_.used(), 0U);
  EXPECT_EQ(gauge_.Value(), 0);
}

TEST_F(SlotsTest, an_owner_with_its_share_is_told_that_it_is_its_own_limit) {
  Slot first = slots_.take("acme");
  Slot second = slots_.take("acme");
  auto outcome = outcome_of_call([&] { return slots_.take("acme"); });
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::resource_exhausted);
  EXPECT_NE(outcome.error().message().find("2 sessions"), std::string::npos);
  EXPECT_TRUE(outcome.error().retry_after());
  EXPECT_EQ(slots_.used(), 2U);
  EXPECT_NO_THROW(slots_.take("other"));
}

TEST_F(SlotsTest, when_all_are_in_use_it_is_nobodys_fault) {
  Slot first = slots_.take("acme");
  Slot second = slots_.take("acme");
  Slot third = slots_.take("other");
  for (const char* owner : {"other", "third"}) {
    auto outcome = outcome_of_call([&] { return slots_.take(owner); });
    ASSERT_FALSE(outcome.ok()) << owner;
    EXPECT_EQ(outcome.error().code(), ErrorCode::unavailable) << owner;
    EXPECT_TRUE(outcome.error().retry_after()) << owner;
  }
  EXPECT_EQ(slots_.used(), 3U);
  EXPECT_EQ(gauge_.Value(), 3);
}

TEST_F(SlotsTest, what_was_given_back_can_be_taken_again) {
  std::optional<Slot> slot = slots_.take("acme");
  Slot other = slots_.take("acme");
  EXPECT_FALSE(outcome_of_call([&] { return slots_.take("acme"); }).ok());
  slot.reset();
  EXPECT_TRUE(outcome_of_call([&] { return slots_.take("acme"); }).ok());
  EXPECT_EQ(slots_.used(), 1U);
}

TEST_F(SlotsTest, a_moved_slot_is_given_back_once) {
  Slot kept;
  {
    Slot taken = slots_.take("acme");
    kept = std::move(taken);
  }
  EXPECT_EQ(slots_.used(), 1U);
  Slot again = std::move(kept);
  kept = Slot();
  EXPECT_EQ(slots_.used(), 1U);
  again = slots_.take("other");
  EXPECT_EQ(slots_.used(), 1U) << "the one that it replaced was given back";
  again = Slot();
  EXPECT_EQ(slots_.used(), 0U);
  EXPECT_EQ(gauge_.Value(), 0);
}

}  // namespace capstan
