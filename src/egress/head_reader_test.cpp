#include "egress/head_reader.h"

#include <random>

#include <gtest/gtest.h>

namespace capstan {
namespace {

using Manner = HeadReader::Manner;
using State = HeadReader::State;

constexpr HeadLimits limits{200, 4};

// Feeds pieces of random length up to `piece_bytes_max`, and says all that is to be known.
std::string read(Manner manner, std::string_view bytes, std::size_t piece_bytes_max,
                 std::mt19937& random) {
  HeadReader reader(manner, limits);
  std::size_t taken = 0;
  while (taken < bytes.size() && reader.state() == State::reading) {
    taken += reader.feed(bytes.substr(taken, 1 + random() % piece_bytes_max));
  }
  switch (reader.state()) {
    case State::reading:
      return "reading";
    case State::malformed:
      return "malformed";
    case State::too_large:
      return "too large";
    case State::done:
      break;
  }
  std::string text = reader.head().start_line;
  for (const Header& header : reader.head().headers) {
    text += " [" + header.name + "=" + header.value + "]";
  }
  return text + " +" + std::to_string(bytes.size() - taken);
}

std::string read(Manner manner, std::string_view bytes) {
  std::mt19937 random(1);
  return read(manner, bytes, bytes.size() + 1, random);
}

}  // namespace

TEST(HeadReader, reads_a_head_and_leaves_what_follows) {
  constexpr std::string_view text = "\r\nHTTP/1.1 200 OK\r\nA:b\r\nc-d: \t e f\t\r\nE:\r\n\r\nbody";
  EXPECT_EQ(read(Manner::lenient, text), "HTTP/1.1 200 OK [A=b] [c-d=e f] [E=] +4");
  EXPECT_EQ(read(Manner::strict, text), "HTTP/1.1 200 OK [A=b] [c-d=e f] [E=] +4");
  EXPECT_EQ(read(Manner::strict, "GET / HTTP/1.1\r\na: b\r\n"), "reading");
}

TEST(HeadReader, refuses_every_fault_when_it_is_strict) {
  for (const char* text :
       {"x\n\r\n", "x\r\na: b\n\r\n", "x\r\n\n", "x\ry\r\n\r\n", "x\r\na: b\rc\r\n\r\n",
        "x\r\n a: b\r\n\r\n", "x\r\na: b\r\n c\r\n\r\n", "x\r\na b: c\r\n\r\n",
        "x\r\na : b\r\n\r\n", "x\r\n: b\r\n\r\n", "x\r\nabc\r\n\r\n", "x\r\na: \x01\r\n\r\n",
        "x\r\na: \x7f\r\n\r\n", "x\x0b\r\n\r\n"}) {
    EXPECT_EQ(read(Manner::strict, text), "malformed") << text;
  }
  EXPECT_EQ(read(Manner::strict, std::string_view("x\r\na: b\0c\r\n\r\n", 14)), "malformed");
  EXPECT_EQ(read(Manner::strict, "x\r\na: \xc3\xa4\r\n\r\n"), "x [a=\xc3\xa4] +0");
}

TEST(HeadReader, hears_servers_as_browsers_do_when_it_is_lenient) {
  EXPECT_EQ(read(Manner::lenient, "x\na: b\nc: d\n\nbody"), "x [a=b] [c=d] +4");
  EXPECT_EQ(read(Manner::lenient, "x\r\na: b\r\n  c\r\n\td\r\n\r\n"), "x [a=b c d] +0");
  EXPECT_EQ(read(Manner::lenient, "x\r\n lost\r\na : b\r\nno header\r\n lost\r\nb\"d: e\r\n\r\n"),
            "x [a=b] +0");
  EXPECT_EQ(read(Manner::lenient, "x\r\na: b\rc\r\n\r\n"), "malformed");
  EXPECT_EQ(read(Manner::lenient, std::string_view("x\r\na: b\0c\r\n\r\n", 14)), "malformed");
}

TEST(HeadReader, has_bounds) {
  EXPECT_EQ(read(Manner::lenient, std::string(201, 'a')), "too large");
  EXPECT_EQ(read(Manner::lenient, std::string(200, 'a')), "reading");
  std::string empty_lines;
  for (int i = 0; i < 101; ++i) {
    empty_lines += "\r\n";
  }
  EXPECT_EQ(read(Manner::lenient, empty_lines), "too large");
  EXPECT_EQ(read(Manner::strict, "x\r\na:1\r\na:2\r\na:3\r\na:4\r\n\r\n"),
            "x [a=1] [a=2] [a=3] [a=4] +0");
  EXPECT_EQ(read(Manner::strict, "x\r\na:1\r\na:2\r\na:3\r\na:4\r\na:5\r\n\r\n"), "too large");
}

TEST(HeadReader, does_not_depend_on_how_the_bytes_were_cut) {
  const unsigned seed = std::random_device()();
  std::mt19937 random(seed);
  constexpr std::string_view letters = "a:b \t\r\r\n\n\n-x\x01";
  for (int i = 0; i < 5'000; ++i) {
    std::string text = "HTTP/1.1 200 OK\r\n";
    for (std::size_t length = random() % 40; length > 0; --length) {
      text += letters[random() % letters.size()];
    }
    text += "\r\n\r\n";
    for (Manner manner : {Manner::strict, Manner::lenient}) {
      ASSERT_EQ(read(manner, text, 3, random), read(manner, text)) << text << "\nseed " << seed;
    }
  }
}

}  // namespace capstan
