#include "http/response_head.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

const WallTime some_time = from_unix_ms(784'111'777'999);

ResponseFraming framing_of(std::optional<std::size_t> body_bytes) {
  ResponseFraming framing;
  framing.request_id = "id-1";
  framing.now = some_time;
  framing.body_bytes = body_bytes;
  return framing;
}

}  // namespace

TEST(ResponseHead, says_what_the_connection_knows) {
  EXPECT_EQ(response_head(200, {{"content-type", "text/plain"}}, framing_of(5)),
            "HTTP/1.1 200 OK\r\n"
            "content-type: text/plain\r\n"
            "content-length: 5\r\n"
            "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "x-request-id: id-1\r\n\r\n");
  auto streamed = response_head(200, {}, framing_of(std::nullopt));
  EXPECT_NE(streamed->find("\r\ntransfer-encoding: chunked\r\n"), std::string::npos);
  EXPECT_EQ(streamed->find("content-length"), std::string::npos);
}

TEST(ResponseHead, tells_http_1_0_and_last_answers_apart) {
  ResponseFraming framing = framing_of(0);
  framing.keeps_alive = false;
  EXPECT_NE(response_head(200, {}, framing)->find("connection: close"), std::string::npos);
  framing.keeps_alive = true;
  framing.is_http_1_0 = true;
  EXPECT_NE(response_head(200, {}, framing)->find("connection: keep-alive"), std::string::npos);
  framing.body_bytes.reset();
  EXPECT_EQ(response_head(200, {}, framing)->find("chunked"), std::string::npos);
}

TEST(ResponseHead, gives_no_length_to_what_has_no_body) {
  for (int status : {204, 304}) {
    EXPECT_EQ(response_head(status, {}, framing_of(0))->find("content-length"), std::string::npos);
  }
}

TEST(ResponseHead, leaves_out_the_handlers_own_framing) {
  auto head =
      response_head(200, {{"Content-Length", "777"}, {"Connection", "close"}}, framing_of(5));
  EXPECT_EQ(head->find("777"), std::string::npos);
  EXPECT_EQ(head->find("lose"), std::string::npos);
}

TEST(ResponseHead, can_not_be_split) {
  EXPECT_FALSE(response_head(200, {{"location", "/a\r\nset-cookie: x"}}, framing_of(0)));
  EXPECT_FALSE(response_head(200, {{"loc\nation", "/a"}}, framing_of(0)));
  EXPECT_FALSE(response_head(200, {{"location", std::string("/a\0b", 4)}}, framing_of(0)));
  EXPECT_TRUE(response_head(200, {{"location", "/é\t"}}, framing_of(0)));
}

TEST(Chunk, has_its_size_in_front) {
  EXPECT_EQ(to_chunk("hello, world, hello"), "13\r\nhello, world, hello\r\n");
  EXPECT_EQ(to_chunk(""), "");
}

}  // namespace capstan
