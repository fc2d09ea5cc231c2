#include "app/units.h"

#include <gtest/gtest.h>

namespace capstan {

using namespace std::chrono_literals;

TEST(ParseDuration, takes_a_whole_number_and_a_unit) {
  constexpr std::pair<const char*, Duration> good[] = {
      {"1ms", 1ms},
      {"500ms", 500ms},
      {"5s", 5s},
      {"10m", 10min},
      {"3h", 3h},
      {"8760h", 8760h},
      {"525600m", 525600min},
      {"31536000s", 31536000s},
      {"31536000000ms", 31536000s},
  };
  for (const auto& [text, duration] : good) {
    EXPECT_EQ(parse_duration(text), duration) << text;
  }
}

TEST(ParseDuration, is_nothing_for_anything_else) {
  using namespace std::string_view_literals;
  for (std::string_view text : {""sv,
                                "5"sv,
                                "s"sv,
                                "ms"sv,
                                "0s"sv,
                                "-5s"sv,
                                "+5s"sv,
                                " 5s"sv,
                                "5s "sv,
                                "5 s"sv,
                                "1.5h"sv,
                                "5S"sv,
                                "5sec"sv,
                                "5d"sv,
                                "5us"sv,
                                "1h30m"sv,
                                "0x5s"sv,
                                "1e3s"sv,
                                "5s\0"sv,
                                "5\0s"sv,
                                "8761h"sv,
                                "525601m"sv,
                                "31536001s"sv,
                                "31536000001ms"sv,
                                "9223372036854775807h"sv,
                                "9223372036854775808ms"sv,
                                "99999999999999999999s"sv}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << testing::PrintToString(text);
  }
  EXPECT_EQ(parse_duration({}), std::nullopt);
}

}  // namespace capstan
