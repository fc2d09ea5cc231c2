#include "egress/origin_response.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

ProxyRequest request(const std::string& method = "GET") {
  ProxyRequest request;
  request.method = method;
  return request;
}

std::variant<OriginResponse, std::string> read(const std::string& head,
                                               const ProxyRequest& asked = request()) {
  HeadReader reader(HeadReader::Manner::lenient, {10'000, 100});
  reader.feed(head + "\r\n");
  EXPECT_EQ(reader.state(), HeadReader::State::done) << head;
  return read_origin_response(reader.head(), asked);
}

// How the body ends, and whether the connection can be used again.
std::string ending_of(const std::string& head, const ProxyRequest& asked = request()) {
  auto reading = read(head, asked);
  if (std::holds_alternative<std::string>(reading)) {
    return "fault";
  }
  auto& response = std::get<OriginResponse>(reading);
  std::string text;
  switch (response.has_body ? response.body.kind : BodyFraming::Kind::none) {
    case BodyFraming::Kind::none:
      text = "none";
      break;
    case BodyFraming::Kind::length:
      text = std::to_string(response.body.length);
      break;
    case BodyFraming::Kind::chunked:
      text = "chunked";
      break;
    case BodyFraming::Kind::until_close:
      text = "until close";
      break;
  }
  return text + (response.keeps_alive ? ", keeps" : ", closes");
}

}  // namespace

TEST(OriginResponse, says_where_it_ends) {
  EXPECT_EQ(ending_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"), "5, keeps");
  EXPECT_EQ(ending_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n"), "chunked, keeps");
  EXPECT_EQ(ending_of("HTTP/1.1 200 OK\r\n"), "until close, closes");
  EXPECT_EQ(ending_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", request("HEAD")), "none, keeps");
  EXPECT_EQ(ending_of("HTTP/1.1 200 OK\r\n", request("HEAD")), "none, keeps");
  EXPECT_EQ(ending_of("HTTP/1.1 204 No Content\r\n"), "none, keeps");
  EXPECT_EQ(ending_of("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n"), "none, keeps");
  EXPECT_EQ(ending_of("HTTP/1.1 100 Continue\r\n"), "none, keeps");
  EXPECT_EQ(ending_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 05\r\n"),
            "5, keeps");
  // The chunks count; but who sent both may have been deceived.
  EXPECT_EQ(ending_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
            "chunked, closes");
}

TEST(OriginResponse, is_refused_when_its_end_is_unclear) {
  for (const char* head :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: \r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "HTTP/2 200\r\n", "HTTP/1.1 20 OK\r\n", "HTTP/1.1 2000\r\n", "HTTP/1.1 099 OK\r\n",
        "HTTP/1.1  200 OK\r\n", "ICY 200 OK\r\n", "garbage\r\n", "SSH-2.0-OpenSSH_9.2\r\n"}) {
    EXPECT_EQ(ending_of(head), "fault") << head;
  }
  ProxyRequest old = request();
  old.is_http_1_0 = true;
  EXPECT_EQ(ending_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", old), "fault");
}

TEST(OriginResponse, says_whether_the_connection_goes_on) {
  auto with = [](const std::string& line, const std::string& connection) {
    return ending_of(line + "\r\nContent-Length: 1\r\nConnection: " + connection + "\r\n");
  };
  EXPECT_EQ(with("HTTP/1.1 200 OK", "close"), "1, closes");
  EXPECT_EQ(with("HTTP/1.1 200 OK", "keep-alive, Close"), "1, closes");
  EXPECT_EQ(with("HTTP/1.0 200 OK", "x"), "1, closes");
  EXPECT_EQ(with("HTTP/1.0 200 OK", "Keep-Alive"), "1, keeps");
}

TEST(OriginResponse, is_passed_on_without_what_ends_at_this_hop) {
  auto response = std::get<OriginResponse>(
      read("HTTP/1.0 200 Fine by me\r\nServer: x\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\n"
           "Keep-Alive: 5\r\nProxy-Authenticate: Basic\r\nProxy-Connection: close\r\n"
           "Content-Length: 5\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n"));
  EXPECT_EQ(client_head(response, true),
            "HTTP/1.1 200 Fine by me\r\nServer: x\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n"
            "Content-Length: 5\r\nConnection: keep-alive\r\n\r\n");
  auto bare = std::get<OriginResponse>(read("HTTP/1.1 200\r\n"));
  EXPECT_EQ(client_head(bare, false), "HTTP/1.1 200 \r\nConnection: close\r\n\r\n");
  auto head = std::get<OriginResponse>(
      read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", request("HEAD")));
  EXPECT_EQ(client_head(head, true),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n");
  auto interim = std::get<OriginResponse>(read("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n"));
  EXPECT_EQ(client_head(interim, true), "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
}

TEST(OriginResponse, switches_only_to_what_was_asked_for) {
  const std::string head =
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Accept: x\r\n";
  ProxyRequest asked = request();
  EXPECT_EQ(ending_of(head, asked), "fault");
  asked.upgrade = "WebSocket";
  auto response = std::get<OriginResponse>(read(head, asked));
  EXPECT_EQ(client_head(response, true),
            "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\n\r\n");
  EXPECT_EQ(ending_of("HTTP/1.1 101 S\r\nUpgrade: h2c\r\n", asked), "fault");
  EXPECT_EQ(ending_of("HTTP/1.1 101 S\r\n", asked), "fault");
}

}  // namespace capstan
