#include "base/random.h"

#include <array>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace capstan {

TEST(SeededRandomTest, replays_from_its_seed) {
  SeededRandom one(7);
  SeededRandom same(7);
  SeededRandom other(8);
  std::string first = one.hex(16);
  EXPECT_EQ(first, same.hex(16));
  EXPECT_NE(first, other.hex(16));
  EXPECT_EQ(one.hex(16), same.hex(16)) << "and goes on alike";
  EXPECT_NE(first, one.hex(16));
}

TEST(SeededRandomTest, goes_on_the_same_however_it_is_asked) {
  SeededRandom whole(7);
  SeededRandom pieces(7);
  std::string text;
  for (std::size_t count : {1U, 0U, 2U, 5U, 8U}) {
    text += pieces.hex(count);
  }
  EXPECT_EQ(whole.hex(16), text);
}

TEST(RandomHex, has_two_lower_case_digits_per_byte) {
  SystemRandom random;
  EXPECT_EQ(random.hex(0), "");
  std::string text = random.hex(1000);
  EXPECT_EQ(text.size(), 2000U);
  EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), std::string::npos);
}

TEST(SystemRandomTest, fills_all_of_it_and_never_the_same_twice) {
  SystemRandom random;
  std::set<std::string> seen;
  for (int round = 0; round < 100; ++round) {
    seen.insert(random.hex(32));
  }
  EXPECT_EQ(seen.size(), 100U);
  // The kernel may give less than is asked for at once; the last byte must come all the same.
  std::vector<std::byte> many(300'000);
  std::set<std::byte> last;
  for (int round = 0; round < 50; ++round) {
    random.fill(many);
    last.insert(many.back());
  }
  EXPECT_GT(last.size(), 1U);
}

}  // namespace capstan
