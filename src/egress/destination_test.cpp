#include "egress/destination.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

std::string host_of(std::string_view text) {
  auto host = read_host(text);
  if (!host) {
    return "refused";
  }
  return (host->address ? "address " : "name ") + host->text;
}

std::string destination_of(std::string_view text, std::optional<std::uint16_t> default_port = {}) {
  auto destination = read_destination(text, default_port);
  return destination ? destination->text() : "refused";
}

}  // namespace

TEST(Host, reads_every_notation_of_an_ipv4_address) {
  for (const char* text :
       {"127.0.0.1", "2130706433", "0x7f000001", "0X7F000001", "017700000001", "0177.0.0.1",
        "0x7f.1", "127.1", "127.0.1", "127.0.0.1.", "0x7f.0x0.0x0.0x1", "00177.0.0.01",
        "[::ffff:127.0.0.1]", "[::FFFF:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "127.0x.1"}) {
    EXPECT_EQ(host_of(text), "address 127.0.0.1") << text;
  }
  EXPECT_EQ(host_of("0"), "address 0.0.0.0");
  EXPECT_EQ(host_of("0x"), "address 0.0.0.0");
  EXPECT_EQ(host_of("4294967295"), "address 255.255.255.255");
  EXPECT_EQ(host_of("1.2.65535"), "address 1.2.255.255");
}

TEST(Host, refuses_what_ends_in_a_number_and_is_no_address) {
  for (const char* text :
       {"4294967296", "256.0.0.1", "1.256.1", "1.2.3.4.5", "1.2.3.256", "08", "1.2.3.08", "foo.1",
        "foo.0x1", "foo.0x", "1..2", ".1", "99999999999999999999999", "1.2.3.4..", "1.16777216"}) {
    EXPECT_EQ(host_of(text), "refused") << text;
  }
}

TEST(Host, reads_ipv6_in_brackets_only) {
  EXPECT_EQ(host_of("[::1]"), "address [::1]");
  EXPECT_EQ(host_of("[2001:DB8:0:0:0:0:0:1]"), "address [2001:db8::1]");
  for (const char* text : {"::1", "[::1", "::1]", "[]", "[", "[::1%lo]", "[::1%25lo]",
                           "[fe80::1%1]", "[127.0.0.1]", "[::g]", "[::1]x", "[[::1]]"}) {
    EXPECT_EQ(host_of(text), "refused") << text;
  }
  EXPECT_EQ(read_lone_host("::1")->text, "[::1]");
  EXPECT_EQ(read_lone_host("[::1]")->text, "[::1]");
  EXPECT_EQ(read_lone_host("a.test")->text, "a.test");
  EXPECT_FALSE(read_lone_host("a.test:80"));
}

TEST(Host, takes_names_as_they_are_looked_up) {
  EXPECT_EQ(host_of("Example.COM"), "name example.com");
  EXPECT_EQ(host_of("a_b-c.example"), "name a_b-c.example");
  EXPECT_EQ(host_of("xn--bcher-kva.example"), "name xn--bcher-kva.example");
  EXPECT_EQ(host_of("1e100.net"), "name 1e100.net");
  EXPECT_EQ(host_of("0x7f"), "address 0.0.0.127");
  EXPECT_EQ(host_of("0x7g"), "name 0x7g");
  EXPECT_EQ(read_host("example.com.")->text, "example.com.");
  EXPECT_EQ(read_host("example.com.")->name(), "example.com");
  const std::string label(63, 'a');
  EXPECT_EQ(host_of(label + ".b"), "name " + label + ".b");
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'a');
  EXPECT_EQ(host_of(longest), "name " + longest);
  for (const std::string& text :
       {std::string(), std::string("."), std::string(".."), std::string("a..b"), std::string(".a"),
        std::string("a.."), label + "a", longest + "a", std::string("a b"), std::string("a\r\nb"),
        std::string("a%2eb"), std::string("127%2e0.0.1"), std::string("b\xc3\xbc"),
        std::string("\xef\xbc\x91.1"), std::string("a@b"), std::string("a/b"), std::string("a:b"),
        std::string("a\0b", 3)}) {
    EXPECT_EQ(host_of(text), "refused") << text;
  }
}

TEST(Destination, is_a_host_and_a_port) {
  EXPECT_EQ(destination_of("a.test:443"), "a.test:443");
  EXPECT_EQ(destination_of("a.test", 80), "a.test:80");
  EXPECT_EQ(destination_of("[::1]:8080"), "[::1]:8080");
  EXPECT_EQ(destination_of("[::1]", 80), "[::1]:80");
  EXPECT_EQ(destination_of("127.1:80"), "127.0.0.1:80");
  EXPECT_EQ(destination_of("a.test:00080"), "a.test:80");
  for (const char* text : {"a.test", "a.test:", "a.test:0", "a.test:65536", "a.test:+80",
                           "a.test:-1", "a.test:80x", "a.test: 80", ":80", "::1:80", "a:b:80",
                           "[::1]80", "[::1]:", "[::1:80", "user@a.test:80", "a.test:80:80"}) {
    EXPECT_EQ(destination_of(text), "refused") << text;
  }
}

}  // namespace capstan
