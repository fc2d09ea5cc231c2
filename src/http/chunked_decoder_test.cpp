#include "http/chunked_decoder.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

constexpr std::size_t body_bytes_max = 1000;
using State = ChunkedDecoder::State;

struct Decoded {
  State state;
  std::string body;
  std::size_t taken;
};

// Feeds pieces of `piece_bytes`, as a connection would.
Decoded decode(std::string_view bytes, std::size_t piece_bytes) {
  ChunkedDecoder decoder(body_bytes_max);
  Decoded decoded{State::reading, {}, 0};
  while (decoded.taken < bytes.size() && decoder.state() == State::reading) {
    decoded.taken += decoder.feed(bytes.substr(decoded.taken, piece_bytes), decoded.body);
  }
  decoded.state = decoder.state();
  return decoded;
}

}  // namespace

TEST(ChunkedDecoder, joins_chunks_however_they_are_cut) {
  std::string body =
      "5\r\nhello\r\n0A;name=\"value\"\r\n, wor\r\nld.\r\n1\r\n!\r\n0\r\nTrailer: x\r\n\r\n";
  for (std::size_t piece = 1; piece <= body.size() + 4; ++piece) {
    Decoded decoded = decode(body + "GET ", piece);
    EXPECT_EQ(decoded.state, State::done) << piece;
    EXPECT_EQ(decoded.body, "hello, wor\r\nld.!");
    EXPECT_EQ(decoded.taken, body.size());
  }
  EXPECT_EQ(decode("0\r\n\r\n", 100).state, State::done);
  EXPECT_EQ(decode("3\r\nabc\r\n", 100).state, State::reading);
}

TEST(ChunkedDecoder, refuses_malformed_chunks) {
  for (const char* bytes :
       {"\r\n", "x\r\n", "-1\r\n", "+5\r\n", "0x5\r\n", " 5\r\n", "5 \r\n", "5\n", "5\rx", "5;a\n",
        "5\r\nhelloX", "5\r\nhello\n", "5\r\nhello\rX", "0000000000000001\r\n", "fffffffff\r\n",
        "0\r\nTrailer\n", "0\r\n\rX", "5;\x01\r\n", "0\r\na\x01\r\n"}) {
    EXPECT_EQ(decode(bytes, 100).state, State::malformed) << bytes;
    EXPECT_EQ(decode(bytes, 1).state, State::malformed) << bytes;
  }
}

TEST(ChunkedDecoder, holds_its_bounds) {
  EXPECT_EQ(decode("3e9\r\n", 100).state, State::too_large);  // 1001
  EXPECT_EQ(decode("ffffffff\r\n", 100).state, State::too_large);
  std::string most = "3e8\r\n" + std::string(1000, 'x') + "\r\n";
  EXPECT_EQ(decode(most + "0\r\n\r\n", 7).state, State::done);
  EXPECT_EQ(decode(most + "1\r\n", 7).state, State::too_large);
  EXPECT_EQ(decode("5;" + std::string(9000, 'x'), 100).state, State::malformed);
  EXPECT_EQ(decode("0\r\n" + std::string(9000, 'x'), 100).state, State::malformed);
  std::string many_extensions;
  for (int i = 0; i < 900; ++i) {
    many_extensions += "1;0123456789\r\nx\r\n";
  }
  EXPECT_EQ(decode(many_extensions, 100).state, State::malformed);
}

}  // namespace capstan
