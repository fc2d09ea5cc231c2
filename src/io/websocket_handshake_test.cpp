#include "io/websocket_handshake.h"

#include <gtest/gtest.h>

#include "io/outcome.h"

namespace capstan {
namespace {

constexpr const char* key = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455's own example

Outcome<void> checked(const std::string& answer) {
  return outcome_of_call([&] { check_handshake_answer(answer, key); });
}

}  // namespace

TEST(WebSocketHandshake, proves_that_it_has_understood) {
  EXPECT_EQ(handshake_proof(key), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_TRUE(checked(handshake_answer(key, {{"x-request-id", "1"}})).ok());
}

TEST(WebSocketHandshake, takes_no_other_answer) {
  EXPECT_FALSE(checked(handshake_answer("AAAAAAAAAAAAAAAAAAAAAA==", {})).ok());
  EXPECT_FALSE(checked("HTTP/1.1 101 Switching Protocols\r\n\r\n").ok());
  auto refused = checked("HTTP/1.1 401 Unauthorized\r\ncontent-length: 4\r\n\r\nwho?");
  EXPECT_EQ(refused.error().message(),
            "the server didn't open a WebSocket but answered 'HTTP/1.1 401 Unauthorized' who?");
}

TEST(WebSocketHandshake, lets_nothing_break_out_of_its_line) {
  EXPECT_NE(handshake_request("a:1", "/x?y", key, {{"b", "c d"}}).find("\r\nb: c d\r\n"),
            std::string::npos);
  for (const char* target : {"", "x", "/a b", "/a\r\nb: c"}) {
    EXPECT_FALSE(outcome_of_call([&] { return handshake_request("a", target, key, {}); }).ok());
  }
  for (const char* value : {"\r\nx: y", "\n", "\r"}) {
    EXPECT_FALSE(
        outcome_of_call([&] { return handshake_request("a", "/", key, {{"b", value}}); }).ok());
  }
}

}  // namespace capstan
