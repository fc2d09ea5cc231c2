#include "base/id.h"

#include <algorithm>
#include <set>
#include <unordered_set>

#include <gtest/gtest.h>

namespace capstan {
namespace {

using FishId = Id<struct FishTag>;
using BirdId = Id<struct BirdTag>;

static_assert(!std::is_convertible_v<FishId, BirdId>);
static_assert(!std::is_constructible_v<FishId, std::string>);
static_assert(!std::is_default_constructible_v<FishId>);

constexpr std::uint64_t seed = 9562;

}  // namespace

TEST(Uuid, has_the_time_the_version_and_the_variant_in_their_places) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  SeededRandom random(seed);
  for (int round = 0; round < 200; ++round) {
    std::string text = make_uuid(from_unix_ms(0x0123456789ab), random);
    ASSERT_EQ(text.size(), 36U);
    EXPECT_EQ(text.substr(0, 15), "01234567-89ab-7");
    EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos) << text;
    EXPECT_EQ(canonical_uuid(text), text);
  }
}

TEST(Uuid, sorts_by_age_and_does_not_repeat) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  SeededRandom random(seed);
  std::vector<std::string> made;
  for (std::int64_t ms : {0, 1, 255, 256, 65'536}) {
    made.push_back(make_uuid(from_unix_ms(ms), random));
  }
  for (std::int64_t ms = 1'700'000'000'000; ms < 1'700'000'001'000; ++ms) {
    made.push_back(make_uuid(from_unix_ms(ms), random));
  }
  EXPECT_TRUE(std::is_sorted(made.begin(), made.end()));
  std::set<std::string> of_one_moment;
  for (int round = 0; round < 1000; ++round) {
    of_one_moment.insert(make_uuid(from_unix_ms(1'700'000'000'000), random));
  }
  EXPECT_EQ(of_one_moment.size(), 1000U);
}

TEST(Uuid, is_made_again_from_the_same_seed) {
  SeededRandom one(seed);
  SeededRandom same(seed);
  SeededRandom other(seed + 1);
  std::string made = make_uuid(from_unix_ms(5), one);
  EXPECT_EQ(made, make_uuid(from_unix_ms(5), same));
  EXPECT_NE(made, make_uuid(from_unix_ms(5), other));
}

TEST(CanonicalUuid, is_lower_case_whatever_came) {
  constexpr std::string_view canonical = "0190abcd-ef01-7234-89ab-cdef01234567";
  EXPECT_EQ(canonical_uuid(canonical), canonical);
  EXPECT_EQ(canonical_uuid("0190ABCD-EF01-7234-89AB-CDEF01234567"), canonical);
  EXPECT_EQ(canonical_uuid("0190AbCd-eF01-7234-89aB-cDeF01234567"), canonical);
  // Of any version: ids of other systems are UUIDs, too.
  EXPECT_TRUE(canonical_uuid("00000000-0000-0000-0000-000000000000"));
  EXPECT_TRUE(canonical_uuid("ffffffff-ffff-4fff-bfff-ffffffffffff"));
}

TEST(CanonicalUuid, is_nothing_for_other_texts) {
  using namespace std::string_view_literals;
  for (std::string_view text :
       {""sv, "0190abcd"sv, "0190abcdef01723489abcdef01234567"sv,
        "{0190abcd-ef01-7234-89ab-cdef01234567}"sv, "0190abcd-ef01-7234-89ab-cdef0123456"sv,
        "0190abcd-ef01-7234-89ab-cdef012345678"sv, "0190abcd-ef01-7234-89ab-cdef0123456g"sv,
        "0190abcd_ef01_7234_89ab_cdef01234567"sv, "0190abcde-f01-7234-89ab-cdef01234567"sv,
        "0190abcd-ef01-7234-89ab-cdef0123456 "sv, " 190abcd-ef01-7234-89ab-cdef01234567"sv,
        "0190abcd-ef01-7234-89ab-cdef0123456\0"sv, "0190abcd-ef01-7234-89ab-------------"sv,
        "------------------------------------"sv, "0190abcd-ef01-7234-89ab-cdef012345\xc3\xa4"sv}) {
    EXPECT_EQ(canonical_uuid(text), std::nullopt) << testing::PrintToString(text);
  }
}

TEST(IdTest, holds_the_canonical_text_and_compares_by_it) {
  auto fish = FishId::parse("0190ABCD-EF01-7234-89AB-CDEF01234567");
  ASSERT_TRUE(fish);
  EXPECT_EQ(fish->text(), "0190abcd-ef01-7234-89ab-cdef01234567");
  EXPECT_EQ(*fish, FishId::trusted("0190abcd-ef01-7234-89ab-cdef01234567"));
  EXPECT_LT(*fish, FishId::trusted("0190abcd-ef01-7234-89ab-cdef01234568"));
  EXPECT_EQ(FishId::parse("fish"), std::nullopt);
  std::unordered_set<FishId> shoal{*fish, *FishId::parse(fish->text())};
  EXPECT_EQ(shoal.size(), 1U);
}

}  // namespace capstan
