#include "egress/proxy_request.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

std::variant<ProxyRequest, ProxyFault> read(const std::string& bytes) {
  HeadReader reader(HeadReader::Manner::strict, {100'000, 100});
  EXPECT_EQ(reader.feed(bytes), bytes.size());
  EXPECT_EQ(reader.state(), HeadReader::State::done) << bytes;
  return read_proxy_request(reader.head());
}

ProxyRequest request_of(const std::string& bytes) {
  auto reading = read(bytes);
  if (auto* fault = std::get_if<ProxyFault>(&reading)) {
    ADD_FAILURE() << bytes << fault->message;
    return {};
  }
  return std::get<ProxyRequest>(std::move(reading));
}

// The status of the refusal; 0 if there is none.
int refusal_of(const std::string& bytes) {
  auto reading = read(bytes);
  auto* fault = std::get_if<ProxyFault>(&reading);
  return fault != nullptr ? fault->status : 0;
}

std::string get(const std::string& target, const std::string& headers = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: a.test\r\n" + headers + "\r\n";
}

std::string post(const std::string& headers) {
  return "POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\n" + headers + "\r\n";
}

}  // namespace

TEST(ProxyRequest, asks_for_a_tunnel) {
  auto request = request_of("CONNECT A.test:443 HTTP/1.1\r\nHost: other.test\r\n\r\n");
  EXPECT_TRUE(request.is_tunnel);
  EXPECT_EQ(request.destination.text(), "a.test:443");
  EXPECT_EQ(request_of("CONNECT 0x7f.1:443 HTTP/1.0\r\n\r\n").destination.text(), "127.0.0.1:443");
  for (const char* target :
       {"a.test", "a.test:", "a.test:0", "http://a.test:443", "/", "*", "::1:443", "[::1%lo]:443",
        "u@a.test:443", "a.test:443/", "a%2etest:443"}) {
    EXPECT_EQ(refusal_of("CONNECT " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n"), 400)
        << target;
  }
  for (const char* framing :
       {"Content-Length: 0", "Content-Length: 5", "Transfer-Encoding: chunked"}) {
    EXPECT_EQ(refusal_of("CONNECT a.test:443 HTTP/1.1\r\nHost: a\r\n" + std::string(framing) +
                         "\r\n\r\n"),
              400)
        << framing;
  }
}

TEST(ProxyRequest, names_its_destination_and_what_the_origin_gets_of_it) {
  auto target_of = [](const std::string& target) {
    auto request = request_of(get(target));
    return request.destination.text() + " " + request.target;
  };
  EXPECT_EQ(target_of("http://a.test/b?c=d"), "a.test:80 /b?c=d");
  EXPECT_EQ(target_of("HTTP://A.Test:8080"), "a.test:8080 /");
  EXPECT_EQ(target_of("http://a.test?q"), "a.test:80 /?q");
  EXPECT_EQ(target_of("http://[::1]:81/"), "[::1]:81 /");
  EXPECT_EQ(target_of("http://2130706433/"), "127.0.0.1:80 /");
  EXPECT_EQ(target_of("http://a.test//b/../c"), "a.test:80 //b/../c");
  EXPECT_EQ(target_of("http://a.test/http://b.test/"), "a.test:80 /http://b.test/");
  EXPECT_EQ(request_of("OPTIONS http://a.test HTTP/1.1\r\nHost: a\r\n\r\n").target, "*");
}

TEST(ProxyRequest, refuses_targets_that_are_none_of_its_own) {
  for (const char* target : {"/",
                             "*",
                             "https://a.test/",
                             "ftp://a.test/",
                             "ws://a.test/",
                             "a.test:80",
                             "http:/a.test/",
                             "http://",
                             "http:///",
                             "http://u@a.test/",
                             "http://u:p@a.test/",
                             "http://a.test:/",
                             "http://a.test:0/",
                             "http://a.test:99999/",
                             "http://a.test\\b/",
                             "http://a.test/#b",
                             "http://a .test/",
                             "http://a.test/ b",
                             "http://a.test/\xc3\xa4",
                             "http://b\xc3\xa4.test/",
                             "http://a%2etest/",
                             "http://[::1/",
                             "http://256.0.0.1/",
                             "http://1.2.3.4.5/"}) {
    EXPECT_EQ(refusal_of(get(target)), 400) << target;
  }
  EXPECT_EQ(refusal_of("GET  http://a.test/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("GET http://a.test/\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("G(T http://a.test/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("GET http://a.test/ HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
  EXPECT_EQ(refusal_of("GET http://a.test/ http/1.1\r\nHost: a\r\n\r\n"), 505);
}

TEST(ProxyRequest, wants_one_host) {
  EXPECT_EQ(refusal_of("GET http://a.test/ HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of(get("http://a.test/", "Host: a.test\r\n")), 400);
  EXPECT_EQ(refusal_of("GET http://a.test/ HTTP/1.0\r\n\r\n"), 0);
}

TEST(ProxyRequest, leaves_one_way_to_read_where_its_body_ends) {
  auto kind_of = [](const std::string& headers) { return request_of(post(headers)).body.kind; };
  EXPECT_EQ(kind_of(""), BodyFraming::Kind::none);
  EXPECT_EQ(kind_of("Content-Length: 5\r\n"), BodyFraming::Kind::length);
  EXPECT_EQ(kind_of("Transfer-Encoding: Chunked\r\n"), BodyFraming::Kind::chunked);
  for (const char* headers :
       {"Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length: 5, 5\r\n",
        "Content-Length: +5\r\n", "Content-Length: 0x5\r\n", "Content-Length:\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: identity\r\n", "Transfer-Encoding:\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: \x0b"
        "chunked\r\n"}) {
    HeadReader reader(HeadReader::Manner::strict, {1000, 100});
    reader.feed(post(headers));
    if (reader.state() == HeadReader::State::done) {
      EXPECT_EQ(refusal_of(post(headers)), 400) << headers;
    }
  }
  EXPECT_EQ(refusal_of("POST http://a.test/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST(ProxyRequest, becomes_what_a_browser_would_have_sent_itself) {
  auto request = request_of(
      "POST http://A.test:8080/b?c HTTP/1.1\r\nHost: deceit.test\r\nProxy-Connection: "
      "keep-alive\r\n"
      "Content-Length: 5\r\nUser-Agent: x\r\nCookie: a=b\r\nAccept:\r\n\r\n");
  EXPECT_EQ(origin_head(request),
            "POST /b?c HTTP/1.1\r\nHost: a.test:8080\r\nConnection: keep-alive\r\n"
            "Content-Length: 5\r\nUser-Agent: x\r\nCookie: a=b\r\nAccept: \r\n\r\n");
  EXPECT_EQ(absolute_head(request, "Basic abc"),
            "POST http://a.test:8080/b?c HTTP/1.1\r\nHost: a.test:8080\r\n"
            "Proxy-Authorization: Basic abc\r\nConnection: keep-alive\r\n"
            "Content-Length: 5\r\nUser-Agent: x\r\nCookie: a=b\r\nAccept: \r\n\r\n");
  auto chunked = request_of(post("Transfer-Encoding: chunked\r\n"));
  EXPECT_EQ(origin_head(chunked),
            "POST / HTTP/1.1\r\nHost: a.test\r\nConnection: keep-alive\r\n"
            "Transfer-Encoding: chunked\r\n\r\n");
  auto asterisk = request_of("OPTIONS http://a.test HTTP/1.0\r\n\r\n");
  EXPECT_EQ(origin_head(asterisk),
            "OPTIONS * HTTP/1.0\r\nHost: a.test\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(absolute_head(asterisk, "").starts_with("OPTIONS http://a.test HTTP/1.0\r\n"));
}

TEST(ProxyRequest, keeps_to_itself_what_ends_at_the_next_hop) {
  auto request = request_of(
      get("http://a.test/",
          "Connection: keep-alive, X-Secret , close\r\nConnection: x-other\r\nX-Secret: 1\r\n"
          "x-other: 2\r\nKeep-Alive: 5\r\nProxy-Authorization: Basic abc\r\nProxy-X: 1\r\n"
          "TE: trailers\r\nTrailer: X-Sum\r\nUpgrade: h2c\r\nX-Kept: 3\r\n"));
  EXPECT_EQ(origin_head(request),
            "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: keep-alive\r\nTrailer: X-Sum\r\n"
            "X-Kept: 3\r\n\r\n");
  EXPECT_FALSE(request.keeps_alive);
  // Nothing that the request can't do without can be taken from it that way.
  auto robbed = request_of(post("Connection: host, content-length\r\nContent-Length: 5\r\n"));
  EXPECT_EQ(origin_head(robbed),
            "POST / HTTP/1.1\r\nHost: a.test\r\nConnection: keep-alive\r\n"
            "Content-Length: 5\r\n\r\n");
}

TEST(ProxyRequest, may_become_a_websocket) {
  auto request = request_of(get("http://a.test/ws",
                                "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
                                "Sec-WebSocket-Key: abc\r\n"));
  EXPECT_EQ(origin_head(request),
            "GET /ws HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n"
            "Sec-WebSocket-Key: abc\r\n\r\n");
  for (const char* headers :
       {"Upgrade: websocket\r\n", "Connection: upgrade\r\n",
        "Connection: upgrade\r\nUpgrade: h2c\r\n",
        "Connection: upgrade\r\nUpgrade: websocket, h2c\r\n",
        "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n"}) {
    EXPECT_EQ(request_of(get("http://a.test/", headers)).upgrade, "") << headers;
  }
}

TEST(ProxyRequest, knows_what_may_be_sent_twice_and_whether_another_one_may_follow) {
  EXPECT_TRUE(request_of(get("http://a.test/")).is_repeatable());
  EXPECT_FALSE(request_of(post("")).is_repeatable());
  EXPECT_FALSE(request_of(get("http://a.test/", "Content-Length: 1\r\n")).is_repeatable());
  EXPECT_TRUE(request_of(get("http://a.test/")).keeps_alive);
  EXPECT_FALSE(request_of(get("http://a.test/", "Proxy-Connection: close\r\n")).keeps_alive);
  EXPECT_FALSE(
      request_of("GET http://a.test/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keeps_alive);
}

TEST(ProxyRequest, many_nominations_and_headers_take_no_time) {
  std::string head = "GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nConnection: ";
  for (int i = 0; i < 30'000; ++i) {
    head += "x,";
  }
  head += "\r\n";
  for (int i = 0; i < 97; ++i) {
    head += "y" + std::to_string(i) + ": 1\r\n";
  }
  auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(request_of(head + "\r\n").headers.size(), 97U);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(1));
}

}  // namespace capstan
