#include "egress/body_framing.h"

#include <random>

#include <gtest/gtest.h>

namespace capstan {
namespace {

using Kind = BodyFraming::Kind;
using State = BodyMeter::State;

// How many bytes belong to the body, fed in pieces of random length.
std::string metered(BodyFraming framing, std::string_view bytes) {
  std::mt19937 random(1);
  BodyMeter meter(framing);
  std::size_t taken = 0;
  while (taken < bytes.size() && meter.state() == State::reading) {
    taken += meter.feed(bytes.substr(taken, 1 + random() % 4));
  }
  if (meter.state() == State::malformed) {
    return "malformed";
  }
  return (meter.state() == State::done ? "done " : "reading ") + std::to_string(taken);
}

}  // namespace

TEST(BodyMeter, finds_the_end_of_a_body) {
  EXPECT_EQ(metered({}, "next"), "done 0");
  EXPECT_EQ(metered({Kind::length, 0}, "next"), "done 0");
  EXPECT_EQ(metered({Kind::length, 4}, "bodynext"), "done 4");
  EXPECT_EQ(metered({Kind::length, 5}, "body"), "reading 4");
  EXPECT_EQ(metered({Kind::until_close}, "body"), "reading 4");
  EXPECT_EQ(metered({Kind::chunked}, "4\r\nbody\r\n0\r\n\r\nnext"), "done 14");
  EXPECT_EQ(metered({Kind::chunked}, "4;a=b\r\nbody\r\n0\r\nx: y\r\n\r\nnext"), "done 24");
  EXPECT_EQ(metered({Kind::chunked}, "4\r\nbody\r\n"), "reading 9");
  EXPECT_EQ(metered({Kind::chunked}, "4\nbody"), "malformed");
  EXPECT_EQ(metered({Kind::chunked}, "4 \r\nbody"), "malformed");
  EXPECT_EQ(metered({Kind::chunked}, "-1\r\n"), "malformed");
  EXPECT_EQ(metered({Kind::chunked}, "4\r\nbodyx"), "malformed");
}

TEST(BodyMeter, measures_bodies_of_any_length) {
  BodyMeter meter({Kind::length, 20'000'000'000});
  const std::string piece(1'000'000, 'a');
  for (int i = 0; i < 20'000; ++i) {
    ASSERT_EQ(meter.state(), State::reading);
    ASSERT_EQ(meter.feed(piece), piece.size());
  }
  EXPECT_EQ(meter.state(), State::done);
}

TEST(ReadLength, takes_digits_alone) {
  EXPECT_EQ(read_length("0"), 0U);
  EXPECT_EQ(read_length("007"), 7U);
  EXPECT_EQ(read_length("18446744073709551615"), 18446744073709551615U);
  for (const char* text : {"", "-1", "+1", "1 ", " 1", "0x1", "1,1", "18446744073709551616"}) {
    EXPECT_FALSE(read_length(text)) << text;
  }
}

TEST(ValuesOf, are_all_of_that_name_in_their_order) {
  std::vector<Header> headers = {{"A", "1"}, {"b", "2"}, {"a", "3"}};
  EXPECT_EQ(values_of(headers, "a"), (std::vector<std::string_view>{"1", "3"}));
  EXPECT_TRUE(values_of(headers, "c").empty());
}

}  // namespace capstan
