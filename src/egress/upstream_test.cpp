#include "egress/upstream.h"

#include <gtest/gtest.h>

#include "io/outcome.h"

namespace capstan {
namespace {

using Protocol = Upstream::Protocol;

Upstream upstream(Protocol protocol, const std::string& username = "",
                  const std::string& password = "") {
  return {.protocol = protocol,
          .host = "proxy.test",
          .port = 3128,
          .username = username,
          .password = password};
}

std::string problem_with(Protocol protocol, const std::string& username,
                         const std::string& password) {
  auto problem = credentials_problem(upstream(protocol, username, password));
  return problem ? std::string(problem->field) + " " + problem->problem : "";
}

constexpr auto http = Protocol::http;
constexpr auto https = Protocol::https;
constexpr auto socks5 = Protocol::socks5;

std::string complaint(const Upstream& given) {
  auto outcome = outcome_of_call([&] { check_upstream(given); });
  return outcome.ok() ? "" : outcome.error().message();
}

}  // namespace

TEST(Upstream, protocols_have_their_names) {
  for (Protocol protocol : {Protocol::http, Protocol::https, Protocol::socks5}) {
    EXPECT_EQ(parse_upstream_protocol(to_text(protocol)), protocol);
  }
  EXPECT_FALSE(parse_upstream_protocol("socks4"));
}

TEST(Upstream, wants_a_place_that_can_be_dialled) {
  for (const char* host : {"proxy.test", "1.2.3.4", "::1", "[::1]"}) {
    Upstream given = upstream(Protocol::http);
    given.host = host;
    EXPECT_EQ(complaint(given), "") << host;
  }
  for (const char* host : {"", "a b", "a\r\nb", "http://a", "u@a", "a:80", "::1%lo"}) {
    Upstream given = upstream(Protocol::http);
    given.host = host;
    EXPECT_NE(complaint(given).find("must be a host name"), std::string::npos) << host;
  }
  Upstream given = upstream(Protocol::http);
  given.port = 0;
  EXPECT_NE(complaint(given), "");
}

TEST(Upstream, takes_credentials_that_can_be_told_to_it) {
  EXPECT_EQ(complaint(upstream(Protocol::http, "user", "p:a:s s\xc3\xa4")), "");
  EXPECT_EQ(complaint(upstream(Protocol::http, "", "token")), "");
  EXPECT_EQ(complaint(upstream(Protocol::http, std::string(1024, 'a'), "")), "");
  EXPECT_EQ(complaint(upstream(Protocol::socks5, "us:er", std::string(255, 'a'))), "");
  const std::string secret = "hush";
  for (const Upstream& given :
       {upstream(Protocol::http, "us:er", secret), upstream(Protocol::https, "a\r\nX: y", secret),
        upstream(Protocol::http, "user", secret + "\n"),
        upstream(Protocol::http, "user", secret + std::string("\0", 1)),
        upstream(Protocol::http, std::string(1025, 'a'), secret),
        upstream(Protocol::socks5, std::string(256, 'a'), secret),
        upstream(Protocol::socks5, "user", secret + std::string(252, 'a')),
        upstream(Protocol::socks5, "", secret), upstream(Protocol::socks5, "a\nb", secret)}) {
    std::string message = complaint(given);
    EXPECT_NE(message.find("the proxy's"), std::string::npos);
    EXPECT_EQ(message.find(secret), std::string::npos) << message;
  }
}

TEST(Upstream, has_a_problem_with_what_its_protocol_cannot_carry) {
  for (auto protocol : {http, https, socks5}) {
    EXPECT_EQ(problem_with(protocol, "", ""), "");
    EXPECT_EQ(problem_with(protocol, "u", ""), "");
    EXPECT_EQ(problem_with(protocol, "M\xc3\xbcller !", "p:\xe2\x82\xac"), "");
    EXPECT_EQ(problem_with(protocol, std::string(255, 'u'), std::string(255, 'p')), "");
    for (const std::string& bad :
         {std::string("a\r\nb"), std::string("a\0b", 3), std::string("\x7f"), std::string("\t"),
          std::string(1025, 'x')}) {
      EXPECT_TRUE(problem_with(protocol, bad, "p").starts_with("username must have"));
      EXPECT_TRUE(problem_with(protocol, "u", bad).starts_with("password must have"));
    }
  }
  EXPECT_EQ(problem_with(http, std::string(1024, 'u'), std::string(1024, 'p')), "");
  EXPECT_EQ(problem_with(socks5, "u", std::string(256, 'p')),
            "password must have at most 255 bytes and no control characters, with socks5");
  EXPECT_EQ(problem_with(socks5, "", "p"),
            "username must not be empty when there is a password, with socks5");
  EXPECT_EQ(problem_with(http, "", "p"), "");
  EXPECT_EQ(problem_with(socks5, "a:b", "p"), "");
  for (auto protocol : {http, https}) {
    EXPECT_EQ(problem_with(protocol, "a:b", "p"),
              "username must not hold a colon: HTTP could not tell where the password begins");
  }
}

TEST(Upstream, is_read_from_protocol_host_and_port) {
  struct Good {
    const char* text;
    Upstream::Protocol protocol;
    const char* host;
    std::uint16_t port;
  };
  constexpr Good good[] = {
      {"http://proxy.example.com:80", http, "proxy.example.com", 80},
      {"https://a_b-1.example:65535", https, "a_b-1.example", 65535},
      {"socks5://127.0.0.1:1080", socks5, "127.0.0.1", 1080},
      {"https://[2001:db8::1]:443", https, "2001:db8::1", 443},
  };
  for (const Good& each : good) {
    auto upstream = parse_upstream(each.text);
    ASSERT_TRUE(upstream) << each.text;
    EXPECT_EQ(upstream->protocol, each.protocol) << each.text;
    EXPECT_EQ(upstream->host, each.host) << each.text;
    EXPECT_EQ(upstream->port, each.port) << each.text;
    EXPECT_FALSE(upstream->is_trusted) << each.text;
    EXPECT_EQ(server_of(*upstream), each.text);
  }
}

TEST(Upstream, is_read_from_nothing_else) {
  for (const char* bad : {"",
                          "a",
                          "a:1",
                          "http://a",
                          "http://a:",
                          "http://:1",
                          "http://a:0",
                          "http://a:65536",
                          "http://a:65617",
                          "http://a:-1",
                          "http://a:1/",
                          "http://a:1/path",
                          "http://a:1?q",
                          "http://a:1#f",
                          "ftp://a:1",
                          "socks4://a:1",
                          "socks5h://a:1",
                          "HTTP://a:1",
                          "http:a:1",
                          "http://u:p@a:1",
                          "http://@a:1",
                          "http://a b:1",
                          "http://a%20b:1",
                          "http://a%00:1",
                          "http://[v1.a]:1",
                          "http://[::1:1",
                          "http://::1:1",
                          "http://a:1\r\n",
                          " http://a:1"}) {
    EXPECT_FALSE(parse_upstream(bad)) << bad;
  }
  EXPECT_TRUE(parse_upstream("http://" + std::string(63, 'a') + ":1"));
  EXPECT_FALSE(parse_upstream("http://" + std::string(64, 'a') + ":1"));
  EXPECT_EQ(parse_upstream("http://0x7F.1:80")->host, "127.0.0.1");
}

TEST(Upstream, authorizes_as_basic) {
  EXPECT_EQ(basic_authorization(upstream(Protocol::http)), "");
  EXPECT_EQ(basic_authorization(upstream(Protocol::http, "Aladdin", "open sesame")),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  EXPECT_EQ(basic_authorization(upstream(Protocol::http, "", "t")), "Basic OnQ=");
}

}  // namespace capstan
