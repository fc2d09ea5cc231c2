#include "http/byte_range.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

const WantedBytes whole = WholeFile();
const WantedBytes nothing = Unsatisfiable();

WantedBytes part(std::uint64_t offset, std::uint64_t length) {
  return ByteRange{.offset = offset, .length = length};
}

TEST(ByteRange, is_read_in_its_three_forms) {
  EXPECT_EQ(read_range("bytes=0-0", 1000), part(0, 1));
  EXPECT_EQ(read_range("bytes=0-499", 1000), part(0, 500));
  EXPECT_EQ(read_range("bytes=500-999", 1000), part(500, 500));
  EXPECT_EQ(read_range("bytes=0-", 1000), part(0, 1000));
  EXPECT_EQ(read_range("bytes=999-", 1000), part(999, 1));
  EXPECT_EQ(read_range("bytes=-1", 1000), part(999, 1));
  EXPECT_EQ(read_range("bytes=-1000", 1000), part(0, 1000));
}

TEST(ByteRange, ends_with_the_file) {
  EXPECT_EQ(read_range("bytes=900-5000", 1000), part(900, 100));
  EXPECT_EQ(read_range("bytes=-5000", 1000), part(0, 1000));
  EXPECT_EQ(read_range("bytes=0-18446744073709551615", 1000), part(0, 1000));
  EXPECT_EQ(read_range("bytes=0-99999999999999999999999999", 1000), part(0, 1000));
  EXPECT_EQ(read_range("bytes=-99999999999999999999999999", 1000), part(0, 1000));
}

TEST(ByteRange, is_not_there_beyond_the_end) {
  for (const char* range : {"bytes=1000-", "bytes=1000-1000", "bytes=1000-5000", "bytes=-0",
                            "bytes=99999999999999999999999999-", "bytes=18446744073709551615-"}) {
    EXPECT_EQ(read_range(range, 1000), nothing) << range;
  }
  EXPECT_EQ(read_range("bytes=0-", 0), nothing);
  EXPECT_EQ(read_range("bytes=-0", 0), nothing);
  EXPECT_EQ(read_range("bytes=-5", 0), whole) << "no content-range could say it";
}

TEST(ByteRange, may_have_room_around_it_and_empty_neighbours) {
  EXPECT_EQ(read_range("bytes= 0-499", 1000), part(0, 500));
  EXPECT_EQ(read_range("Bytes=0-499 ,", 1000), part(0, 500));
  EXPECT_EQ(read_range("bytes=, \t,0-499", 1000), part(0, 500));
}

TEST(ByteRange, of_several_or_of_another_kind_is_left_alone) {
  for (const char* range : {"",
                            "bytes",
                            "bytes=",
                            "bytes=,",
                            "bytes=-",
                            "bytes=5",
                            "bytes=a-b",
                            "bytes=0-a",
                            "bytes=a-",
                            "bytes=-a",
                            "bytes=--5",
                            "bytes=0--5",
                            "bytes=0-5-9",
                            "bytes=+0-5",
                            "bytes=0 - 5",
                            "bytes=0x0-5",
                            "bytes=5-4",
                            "bytes=0-1,5-6",
                            "bytes=0-0,0-0",
                            "bytes =0-5",
                            "items=0-5",
                            "bytes=0-5;",
                            "seconds=1-2",
                            "bytes:0-5",
                            "bytes=1.5-2"}) {
    EXPECT_EQ(read_range(range, 1000), whole) << range;
  }
}

}  // namespace
}  // namespace capstan
