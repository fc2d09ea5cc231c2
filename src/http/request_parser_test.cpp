#include "http/request_parser.h"

#include <random>

#include <gtest/gtest.h>

namespace capstan {
namespace {

using State = RequestParser::State;

ServerLimits small_limits() {
  ServerLimits limits;
  limits.body_bytes_max = 100;
  return limits;
}

const ServerLimits limits = small_limits();

// Feeds pieces of random length up to `piece_bytes_max`, and says all that is to be known.
std::string parsed(std::string_view bytes, std::size_t piece_bytes_max, std::mt19937& random) {
  RequestParser parser(limits);
  std::size_t taken = 0;
  while (taken < bytes.size() && parser.state() != State::done &&
         parser.state() != State::refused) {
    taken += parser.feed(bytes.substr(taken, 1 + random() % piece_bytes_max));
  }
  if (parser.state() == State::refused) {
    return std::to_string(parser.refusal().status) + " " + parser.refusal().message;
  }
  if (parser.state() != State::done) {
    return parser.state() == State::head ? "head" : "body";
  }
  std::string text = parser.keeps_alive() ? "keep " : "close ";
  Request request = parser.take();
  text += std::string(to_text(request.method)) + " " + request.path;
  for (const QueryField& field : request.query) {
    text += " ?" + field.name + "=" + field.value;
  }
  for (const Header& header : request.headers) {
    text += " [" + header.name + "=" + header.value + "]";
  }
  return text + " " + request.body + (request.wants_upgrade ? " upgrade" : "") + " +" +
         std::to_string(bytes.size() - taken);
}

std::string parsed(std::string_view bytes) {
  std::mt19937 random(1);
  return parsed(bytes, bytes.size() + 1, random);
}

std::string with_headers(const std::string& headers) {
  return "GET / HTTP/1.1\r\nhost: a\r\n" + headers + "\r\n";
}

constexpr const char* handshake =
    "GET /devtools HTTP/1.1\r\nhost: a\r\nconnection: keep-alive, Upgrade\r\nupgrade: WebSocket\r\n"
    "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

}  // namespace

TEST(RequestParser, reads_a_request_and_leaves_the_next) {
  EXPECT_EQ(parsed("POST /v1/x?a=%20b HTTP/1.1\r\nHost: a:80\r\nX:  y \t\r\n"
                   "Content-Length: 5\r\n\r\nhelloGET"),
            "keep POST /v1/x ?a= b [Host=a:80] [X=y] [Content-Length=5] hello +3");
  EXPECT_EQ(parsed("\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n"), "keep GET / [host=a]  +0");
  EXPECT_EQ(parsed("OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n"), "keep OPTIONS * [host=a]  +0");
  EXPECT_EQ(parsed("PUT / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: Chunked\r\n\r\n"
                   "2\r\nab\r\n0\r\n\r\nGET"),
            "keep PUT / [host=a] [transfer-encoding=Chunked] ab +3");
}

TEST(RequestParser, knows_when_the_connection_goes_on) {
  EXPECT_EQ(parsed("GET / HTTP/1.0\r\n\r\n"), "close GET /  +0");
  EXPECT_TRUE(parsed("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").starts_with("keep "));
  EXPECT_TRUE(parsed(with_headers("connection: te, close\r\n")).starts_with("close "));
  EXPECT_TRUE(
      parsed(with_headers("connection: te\r\nconnection: CLOSE\r\n")).starts_with("close "));
}

TEST(RequestParser, takes_over_a_sound_request_id) {
  auto id_of = [](const std::string& header) {
    RequestParser parser(limits);
    parser.feed(with_headers("x-request-id: " + header + "\r\n"));
    EXPECT_EQ(parser.state(), State::done);
    return parser.request_id();
  };
  EXPECT_EQ(id_of("trace-1.a_b:C"), "trace-1.a_b:C");
  EXPECT_EQ(id_of(std::string(128, 'x')), std::string(128, 'x'));
  EXPECT_EQ(id_of(std::string(129, 'x')), "");
  EXPECT_EQ(id_of("a b"), "");
  EXPECT_EQ(id_of("<script>"), "");
  EXPECT_EQ(id_of(""), "");
}

TEST(RequestParser, hears_a_wish_for_a_websocket) {
  EXPECT_TRUE(parsed(handshake).ends_with(" upgrade +0"));
  EXPECT_TRUE(parsed(with_headers("connection: upgrade\r\nupgrade: h2c\r\n")).ends_with("]  +0"));
  EXPECT_TRUE(parsed(with_headers("upgrade: websocket\r\n")).ends_with("]  +0"));
  auto changed = [](std::string_view from, std::string_view to) {
    std::string text = handshake;
    return parsed(text.replace(text.find(from), from.size(), to)).substr(0, 3);
  };
  EXPECT_EQ(changed("version: 13", "version: 12"), "426");
  EXPECT_EQ(changed("version: 13", "other: 13"), "426");
  EXPECT_EQ(changed("dGhlIHNhbXBsZSBub25jZQ==", ""), "400");
  EXPECT_EQ(changed("dGhlIHNhbXBsZSBub25jZQ==", "dGhl"), "400");
  EXPECT_EQ(changed("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZSE="), "400");
  EXPECT_EQ(changed("dGhlIHNhbXBsZSBub25jZQ==", "!!!lIHNhbXBsZSBub25jZQ=="), "400");
  EXPECT_EQ(changed("GET", "POST"), "400");
  EXPECT_EQ(changed("\r\n\r\n", "\r\ncontent-length: 1\r\n\r\n"), "400");
}

TEST(RequestParser, says_100_continue_is_awaited) {
  RequestParser parser(limits);
  parser.feed("PUT / HTTP/1.1\r\nhost: a\r\nexpect: 100-Continue\r\ncontent-length: 1\r\n\r\n");
  EXPECT_EQ(parser.state(), State::body);
  EXPECT_TRUE(parser.expects_continue());
  EXPECT_EQ(parsed(with_headers("expect: miracles\r\n")).substr(0, 3), "417");
}

TEST(RequestParser, bounds_lines_headers_and_bodies) {
  auto status_of = [](const std::string& bytes) { return parsed(bytes).substr(0, 3); };
  EXPECT_EQ(status_of("GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n"), "414");
  EXPECT_EQ(status_of("GET /" + std::string(8000, 'a') + " HTTP/1.1\r\nhost: a\r\n\r\n"), "kee");
  EXPECT_EQ(status_of(with_headers("x: " + std::string(17'000, 'a') + "\r\n")), "431");
  std::string headers;
  for (int i = 0; i < 99; ++i) {
    headers += "x: y\r\n";
  }
  EXPECT_EQ(status_of(with_headers(headers)), "kee");
  EXPECT_EQ(status_of(with_headers(headers + "x: y\r\n")), "431");
  EXPECT_EQ(parsed(with_headers("content-length: 101\r\n")),
            "413 the body is longer than 100 bytes");
  EXPECT_EQ(parsed(with_headers("transfer-encoding: chunked\r\n") + "65\r\n"),
            "413 the body is longer than 100 bytes");
}

// However the bytes of a request, whole or damaged, are cut: what is read is the same.
TEST(RequestParser, reads_the_same_however_it_is_cut) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::vector<std::string> requests = {
      handshake,
      "POST /a?b=c HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n0123456789GET / HTTP/1.1\r\n",
      "PUT / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nt: "
      "u\r\n\r\n",
      "GET / HTTP/1.0\r\nx-request-id: abc\r\n\r\n"};
  const std::string marks = std::string("\r\n\0 :;,%/?x0\x80\t", 14);
  std::size_t whole = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = requests[random() % requests.size()];
    for (auto count = random() % 3; count > 0; --count) {
      bytes[random() % bytes.size()] = marks[random() % marks.size()];
    }
    std::string at_once = parsed(bytes);
    whole += at_once.find(" +") != std::string::npos ? 1 : 0;
    for (std::size_t piece : {1U, 3U, 40U}) {
      EXPECT_EQ(parsed(bytes, piece, random), at_once) << bytes;
    }
  }
  EXPECT_GT(whole, 500U);
}

}  // namespace capstan
