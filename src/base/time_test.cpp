#include "base/time.h"

#include <gtest/gtest.h>

namespace capstan {

TEST(Rfc3339, has_milliseconds_and_ends_in_z) {
  constexpr std::pair<std::int64_t, const char*> times[] = {
      {0, "1970-01-01T00:00:00.000Z"},
      {1, "1970-01-01T00:00:00.001Z"},
      {999, "1970-01-01T00:00:00.999Z"},
      {1'000, "1970-01-01T00:00:01.000Z"},
      {-1, "1969-12-31T23:59:59.999Z"},
      {951'782'399'999, "2000-02-28T23:59:59.999Z"},
      {951'782'400'000, "2000-02-29T00:00:00.000Z"},
      {1'700'000'000'123, "2023-11-14T22:13:20.123Z"},
      {2'147'483'648'000, "2038-01-19T03:14:08.000Z"},
      {4'102'444'800'000, "2100-01-01T00:00:00.000Z"},
      {4'107'542'400'000, "2100-03-01T00:00:00.000Z"},
  };
  for (const auto& [ms, text] : times) {
    EXPECT_EQ(to_rfc3339(from_unix_ms(ms)), text) << ms;
  }
}

TEST(UnixMs, goes_there_and_back) {
  for (std::int64_t ms : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1'700'000'000'123}}) {
    EXPECT_EQ(to_unix_ms(from_unix_ms(ms)), ms);
  }
}

}  // namespace capstan
