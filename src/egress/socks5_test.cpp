#include "egress/socks5.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

using namespace std::string_literals;
using State = Socks5Handshake::State;

Upstream upstream(const std::string& username = "", const std::string& password = "") {
  return {.protocol = Upstream::Protocol::socks5,
          .host = "proxy.test",
          .port = 1080,
          .username = username,
          .password = password};
}

Socks5Handshake handshake(const std::string& destination, const Upstream& way = upstream()) {
  return Socks5Handshake(way, *read_destination(destination, std::nullopt));
}

// Brings it to where it has asked for the connection.
std::string ask(Socks5Handshake& talk) {
  talk.take_output();
  EXPECT_EQ(talk.feed("\x05\x00"s), 2U);
  return talk.take_output();
}

}  // namespace

TEST(Socks5, asks_for_a_name_without_a_login) {
  auto talk = handshake("a.test:443");
  EXPECT_EQ(talk.take_output(), "\x05\x01\x00"s);
  EXPECT_EQ(talk.feed("\x05\x00"s), 2U);
  EXPECT_EQ(talk.take_output(), "\x05\x01\x00\x03\x06"s + "a.test" + "\x01\xbb");
  EXPECT_EQ(talk.feed("\x05\x00\x00\x01\x7f\x00\x00\x01\x04\x38"s + "SSH-2.0"), 10U);
  EXPECT_EQ(talk.state(), State::connected);
}

TEST(Socks5, asks_for_addresses_as_such) {
  auto v4 = handshake("1.2.3.4:80");
  EXPECT_EQ(ask(v4), "\x05\x01\x00\x01\x01\x02\x03\x04\x00\x50"s);
  auto v6 = handshake("[2001:db8::1]:80");
  EXPECT_EQ(ask(v6), "\x05\x01\x00\x04\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01\x00\x50"s);
}

TEST(Socks5, logs_in_when_it_is_asked_to) {
  auto talk = handshake("a.test:443", upstream("user", "pass:word"));
  EXPECT_EQ(talk.take_output(), "\x05\x02\x00\x02"s);
  EXPECT_EQ(talk.feed("\x05\x02"s), 2U);
  EXPECT_EQ(talk.take_output(), "\x01\x04user\x09pass:word"s);
  EXPECT_EQ(talk.feed("\x01\x00"s), 2U);
  EXPECT_EQ(talk.take_output(), "\x05\x01\x00\x03\x06"s + "a.test" + "\x01\xbb");
  auto refused = handshake("a.test:443", upstream("user", "wrong"));
  refused.take_output();
  refused.feed("\x05\x02"s);
  refused.take_output();
  refused.feed("\x01\x01"s);
  EXPECT_EQ(refused.refusal(), "does not accept the user name or password");
}

TEST(Socks5, reads_answers_with_any_kind_of_address_byte_by_byte) {
  for (const std::string& address :
       {"\x01"s + std::string(4, '\0'), "\x04"s + std::string(16, '\0'), "\x03\x05proxy"s,
        "\x03\x00"s, "\x03\xff"s + std::string(255, 'a')}) {
    auto talk = handshake("a.test:443");
    ask(talk);
    const std::string answer = "\x05\x00\x00"s + address + "\x00\x50"s;
    for (char c : answer) {
      ASSERT_EQ(talk.state(), State::talking);
      ASSERT_EQ(talk.feed(std::string(1, c)), 1U);
    }
    EXPECT_EQ(talk.state(), State::connected);
    EXPECT_EQ(talk.feed("x"), 0U);
  }
}

TEST(Socks5, says_why_it_is_refused) {
  auto reason_for = [](const std::string& method, const std::string& answer, const Upstream& way) {
    auto talk = handshake("a.test:443", way);
    talk.take_output();
    talk.feed(method);
    if (talk.state() == State::talking) {
      talk.take_output();
      talk.feed(answer);
    }
    EXPECT_EQ(talk.state(), State::refused);
    return talk.refusal();
  };
  EXPECT_EQ(reason_for("\x04\x5a"s, "", upstream()), "does not speak SOCKS5");
  EXPECT_EQ(reason_for("HTTP/1.1 400", "", upstream()), "does not speak SOCKS5");
  EXPECT_EQ(reason_for("\x05\xff"s, "", upstream()), "wants a user name and password");
  EXPECT_EQ(reason_for("\x05\x02"s, "", upstream()), "wants a user name and password");
  EXPECT_EQ(reason_for("\x05\xff"s, "", upstream("u", "p")),
            "does not take a user name and password");
  const std::string good = "\x05\x00"s;
  EXPECT_EQ(reason_for(good, "\x05\x02\x00\x01\x00"s, upstream()),
            "does not allow this connection");
  EXPECT_EQ(reason_for(good, "\x05\x08\x00\x01\x00"s, upstream()),
            "does not know this kind of address");
  EXPECT_EQ(reason_for(good, "\x05\x63\x00\x01\x00"s, upstream()), "failed to connect");
  EXPECT_EQ(reason_for(good, "\x04\x00\x00\x01\x00"s, upstream()), "does not speak SOCKS5");
  EXPECT_EQ(reason_for(good, "\x05\x00\x00\x02\x00"s, upstream()),
            "gives an answer that can't be understood");
}

}  // namespace capstan
