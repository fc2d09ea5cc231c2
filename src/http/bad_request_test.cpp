#include "http/server_test.h"

namespace capstan {
namespace {

constexpr const char* second = "GET /second HTTP/1.1\r\nhost: a\r\n\r\n";

struct BadRequest {
  int status;
  std::string bytes;
};

std::string with_header(const std::string& line) {
  return "POST / HTTP/1.1\r\nhost: a\r\n" + line + "\r\n\r\n";
}

std::string repeated(std::string_view text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) {
    all += text;
  }
  return all;
}

std::vector<BadRequest> bad_request_lines() {
  return {
      {414, "GET /" + std::string(65'536, 'a') + " HTTP/1.1\r\nhost: a\r\n\r\n"},
      {400, "GET /\r\n"},
      {400, "GET\r\n\r\n"},
      {400, " GET / HTTP/1.1\r\nhost: a\r\n\r\n"},
      {400, "GET  / HTTP/1.1\r\nhost: a\r\n\r\n"},
      {400, "GET /  HTTP/1.1\r\nhost: a\r\n\r\n"},
      {400, "GET /a b HTTP/1.1\r\nhost: a\r\n\r\n"},
      {400, "GET\t/ HTTP/1.1\r\nhost: a\r\n\r\n"},
      {400, "GET / HTTP/1.1 \r\nhost: a\r\n\r\n"},
      {400, "GET / http/1.1\r\nhost: a\r\n\r\n"},
      {400, "GET / HTTP/11\r\nhost: a\r\n\r\n"},
      {400, "GET / HTTP/1.1\nhost: a\n\n"},
      {400, "G(T / HTTP/1.1\r\nhost: a\r\n\r\n"},
      {400, "GET x HTTP/1.1\r\nhost: a\r\n\r\n"},
      {400, "GET * HTTP/1.1\r\nhost: a\r\n\r\n"},
      {400, "GET /\xc3\xa9 HTTP/1.1\r\nhost: a\r\n\r\n"},
      {400, "GET /#x HTTP/1.1\r\nhost: a\r\n\r\n"},
      {400, "GET /?a=%zz HTTP/1.1\r\nhost: a\r\n\r\n"},
      {400, "GET /?a=%00 HTTP/1.1\r\nhost: a\r\n\r\n"},
      {400, "GET http://a/ HTTP/1.1\r\nhost: a\r\n\r\n"},
      {405, "CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n"},
      {405, "TRACE / HTTP/1.1\r\nhost: a\r\n\r\n"},
      {405, "get / HTTP/1.1\r\nhost: a\r\n\r\n"},
      {505, "GET / HTTP/3.0\r\nhost: a\r\n\r\n"},
      {505, "GET / HTTP/1.2\r\nhost: a\r\n\r\n"},
      {505, "GET / HTTP/0.9\r\n\r\n"},
      {505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {400,
       std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + std::string(500, 'x')},
  };
}

std::vector<BadRequest> bad_headers() {
  return {
      {431, with_header("x: " + std::string(17 * 1024, 'a'))},
      {431, with_header(std::string(17 * 1024, 'a') + ": x")},
      {431, "GET / HTTP/1.1\r\n" + repeated("host: a\r\n", 101) + "\r\n"},
      {400, with_header("no colon")},
      {400, with_header(": no name")},
      {400, with_header("name : blank before the colon")},
      {400, with_header("na(me: x")},
      {400, with_header(" folded: x")},
      {400, with_header("x: a\r\n folded")},
      {400, with_header("x: a\r\n\tfolded")},
      {400, with_header(std::string("x: a\0b", 6))},
      {400, with_header("x: a\rb")},
      {400, with_header("x: a\nb: c")},
      {400, with_header("x: a\x01")},
      {400, with_header("x: a\x7f")},
      {400, "GET / HTTP/1.1\r\n\r\n"},
      {400, with_header("host: a")},
      {400, with_header("HOST: b")},
      {400, "GET / HTTP/1.1\r\nhost:\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nhost: a b\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nhost: a/b\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nhost: a@b\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nhost: a, b\r\n\r\n"},
      {417, with_header("expect: miracles")},
  };
}

std::vector<BadRequest> bad_framings() {
  const std::string chunked = with_header("transfer-encoding: chunked");
  return {
      {400, with_header("content-length: 5\r\ncontent-length: 5") + "hello"},
      {400, with_header("content-length: 5\r\ncontent-length: 0") + "hello"},
      {400, with_header("content-length: 0, 0")},
      {400, with_header("content-length: -1")},
      {400, with_header("content-length: +5") + "hello"},
      {400, with_header("content-length: 0x5") + "hello"},
      {400, with_header("content-length: 5 5") + "hello"},
      {400, with_header("content-length:")},
      {400, with_header("content-length: 18446744073709551616")},
      {400, with_header("content-length: 99999999999999999999999999")},
      {413, with_header("content-length: 18446744073709551615")},
      {413, with_header("content-length: 8388609")},
      {400, with_header("content-length: 5\r\ntransfer-encoding: chunked") + "0\r\n\r\n"},
      {400, with_header("transfer-encoding: chunked\r\ncontent-length: 5") + "0\r\n\r\n"},
      {400, with_header("transfer-encoding: chunked, identity") + "0\r\n\r\n"},
      {400, with_header("transfer-encoding: gzip, chunked") + "0\r\n\r\n"},
      {400, with_header("transfer-encoding: gzip")},
      {400, with_header("transfer-encoding: identity")},
      {400, with_header("transfer-encoding: xchunked") + "0\r\n\r\n"},
      {400, with_header("transfer-encoding:")},
      {400, with_header("transfer-encoding: chunked\r\ntransfer-encoding: chunked") + "0\r\n\r\n"},
      {400, with_header("transfer-encoding: chunked\r\ntransfer-encoding: identity")},
      {400, "POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"},
      {400, chunked + "x\r\n"},
      {400, chunked + "-5\r\nhello\r\n0\r\n\r\n"},
      {400, chunked + "+5\r\nhello\r\n0\r\n\r\n"},
      {400, chunked + "0x5\r\nhello\r\n0\r\n\r\n"},
      {400, chunked + "5\nhello\n0\n\n"},
      {400, chunked + "5\r\nhello!\r\n0\r\n\r\n"},
      {400, chunked + "1000000000000000\r\n"},
      {400, chunked + "ffffffffffffffff1\r\n"},
      {400, chunked + "5\r\nhello\r\n"},  // the last chunk is missing: "GET..." isn't one
      {413, chunked + "800001\r\n"},
      {413, chunked + repeated("100000\r\n" + std::string(0x100000, 'x') + "\r\n", 9)},
      {400, chunked + "5;" + std::string(20'000, 'x') + "\r\n"},
      {400, chunked + "0\r\n" + repeated("x: y\r\n", 4000) + "\r\n"},
  };
}

}  // namespace

class BadRequestTest : public ServerTest {
 public:
  // Each gets its one answer in the envelope, and what stands behind it is never served.
  Async<> expect_refusals(std::vector<BadRequest> cases) {
    serve(echoing());
    for (const BadRequest& bad : cases) {
      SCOPED_TRACE(bad.bytes.substr(0, 200));
      RawClient client = connect();
      std::string answer = co_await client.ask(bad.bytes + second);
      const std::string code = std::to_string(bad.status);
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + code + " ")) << answer;
      EXPECT_EQ(count_of(answer, "\r\nx-request-id: "), 1U) << answer;
      EXPECT_NE(answer.find("\r\ncontent-type: application/json\r\n"), std::string::npos);
      EXPECT_NE(answer.find("\r\nconnection: close\r\n"), std::string::npos);
      EXPECT_NE(answer.find("\r\n\r\n{\"error\":{\"code\":" + code + ",\"message\":\""),
                std::string::npos);
      EXPECT_TRUE(answer.ends_with("\"}}")) << answer;
      EXPECT_EQ(answer.find("\r\nallow: GET, HEAD, ") != std::string::npos, bad.status == 405);
    }
    EXPECT_TRUE(requests_.empty());
    co_await server_->close();
  }
};

ASYNC_TEST(BadRequestTest, request_lines) { co_await expect_refusals(bad_request_lines()); }
ASYNC_TEST(BadRequestTest, headers) { co_await expect_refusals(bad_headers()); }
ASYNC_TEST(BadRequestTest, framings) { co_await expect_refusals(bad_framings()); }

}  // namespace capstan
