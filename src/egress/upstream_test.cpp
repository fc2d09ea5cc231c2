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

TEST(Upstream, authorizes_as_basic) {
  EXPECT_EQ(basic_authorization(upstream(Protocol::http)), "");
  EXPECT_EQ(basic_authorization(upstream(Protocol::http, "Aladdin", "open sesame")),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  EXPECT_EQ(basic_authorization(upstream(Protocol::http, "", "t")), "Basic OnQ=");
}

}  // namespace capstan
