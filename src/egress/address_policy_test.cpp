#include "egress/address_policy.h"

#include <algorithm>
#include <bitset>
#include <random>

#include <gtest/gtest.h>

#include "io/outcome.h"

namespace capstan {
namespace {

asio::ip::address address(const std::string& text) { return asio::ip::make_address(text); }

// A second, slower opinion: addresses as texts of bits, compared with texts of bits.
std::string bits_of(const asio::ip::address& given) {
  std::string bits;
  if (given.is_v4()) {
    return std::bitset<32>(given.to_v4().to_uint()).to_string();
  }
  for (unsigned char byte : given.to_v6().to_bytes()) {
    bits += std::bitset<8>(byte).to_string();
  }
  return bits;
}

bool is_within(const asio::ip::address& given, const std::string& network) {
  std::size_t slash = network.find('/');
  auto first = address(network.substr(0, slash));
  auto prefix = std::stoul(network.substr(slash + 1));
  return first.is_v4() == given.is_v4() &&
         bits_of(given).substr(0, prefix) == bits_of(first).substr(0, prefix);
}

bool is_within_any(const asio::ip::address& given, const std::vector<std::string>& networks) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const std::string& network) { return is_within(given, network); });
}

const std::vector<std::string> special_v4 = {
    "0.0.0.0/8",        "10.0.0.0/8",     "100.64.0.0/10",  "127.0.0.0/8",
    "168.63.129.16/32", "169.254.0.0/16", "172.16.0.0/12",  "192.0.0.0/24",
    "192.0.2.0/24",     "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24",  "203.0.113.0/24", "224.0.0.0/4",    "240.0.0.0/4"};
const std::vector<std::string> special_v6 = {
    "::/128",    "::1/128",       "::/96",     "64:ff9b:1::/48", "100::/64",
    "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",      "5f00::/16",
    "fc00::/7",  "fe80::/10",     "fec0::/10", "ff00::/8"};

bool is_public_in_reference(const asio::ip::address& given) {
  if (given.is_v4()) {
    return !is_within_any(given, special_v4);
  }
  if (is_within(given, "::ffff:0:0/96") || is_within(given, "64:ff9b::/96")) {
    std::string low = bits_of(given).substr(96);
    auto v4 = static_cast<std::uint32_t>(std::bitset<32>(low).to_ulong());
    return is_public_in_reference(asio::ip::address_v4(v4));
  }
  return is_within(given, "2000::/3") && !is_within_any(given, special_v6);
}

// Any address, as often as not near the edge of a special network.
asio::ip::address random_v4(std::mt19937& random) {
  std::uint32_t bits = static_cast<std::uint32_t>(random());
  if (random() % 2 == 0) {
    const std::string& near = special_v4[random() % special_v4.size()];
    std::size_t slash = near.find('/');
    bits = address(near.substr(0, slash)).to_v4().to_uint() ^ (bits >> random() % 32);
  }
  return asio::ip::address_v4(bits);
}

asio::ip::address random_v6(std::mt19937& random) {
  asio::ip::address_v6::bytes_type bytes{};
  std::vector<std::string> starts = special_v6;
  starts.insert(starts.end(), {"2000::/3", "64:ff9b::/96", "::ffff:0:0/96"});
  if (random() % 4 != 0) {
    const std::string& near = starts[random() % starts.size()];
    bytes = address(near.substr(0, near.find('/'))).to_v6().to_bytes();
  }
  if (random() % 2 == 0) {
    auto v4 = random_v4(random).to_v4().to_bytes();
    std::copy(v4.begin(), v4.end(), bytes.begin() + 12);
  }
  for (std::size_t flips = random() % 4; flips > 0; --flips) {
    std::size_t bit = random() % 128;
    bytes[bit / 8] = static_cast<unsigned char>(bytes[bit / 8] ^ (1U << bit % 8));
  }
  return asio::ip::address_v6(bytes);
}

std::string complaint(const std::string& entry) {
  auto outcome = outcome_of_call([&] { AddressPolicy({entry}); });
  return outcome.ok() ? "taken" : outcome.error().message();
}

}  // namespace

TEST(AddressPolicy, lets_only_public_addresses_through) {
  AddressPolicy policy;
  for (const char* text :
       {"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255",
        "172.32.0.0", "192.0.1.0", "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2a00::1",
        "64:ff9b::1.1.1.1", "::ffff:1.1.1.1", "2001:200::1"}) {
    EXPECT_TRUE(policy.allows(address(text), 443)) << text;
  }
  for (const char* text : {"0.0.0.0",
                           "10.0.0.1",
                           "100.64.0.1",
                           "127.0.0.1",
                           "127.255.255.255",
                           "169.254.169.254",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.0.0.192",
                           "192.168.1.1",
                           "198.18.0.1",
                           "224.0.0.1",
                           "255.255.255.255",
                           "168.63.129.16",
                           "::",
                           "::1",
                           "::127.0.0.1",
                           "::ffff:127.0.0.1",
                           "::ffff:10.0.0.1",
                           "64:ff9b::10.0.0.1",
                           "64:ff9b::169.254.169.254",
                           "64:ff9b:1::1",
                           "100::1",
                           "2001::1",
                           "2001:db8::1",
                           "2002:7f00:1::",
                           "2002:101:101::",
                           "3fff::1",
                           "5f00::1",
                           "fc00::1",
                           "fd00:ec2::254",
                           "fe80::1",
                           "fec0::1",
                           "ff02::1"}) {
    EXPECT_FALSE(policy.allows(address(text), 443)) << text;
  }
}

TEST(AddressPolicy, agrees_with_a_slow_reference) {
  const unsigned seed = std::random_device()();
  std::mt19937 random(seed);
  std::size_t public_count = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto given = i % 2 == 0 ? random_v4(random) : random_v6(random);
    bool expected = is_public_in_reference(given);
    public_count += expected ? 1 : 0;
    ASSERT_EQ(is_public_address(given), expected) << given << ", seed " << seed;
  }
  EXPECT_GT(public_count, 2'000U) << "seed " << seed;
  EXPECT_LT(public_count, 42'000U) << "seed " << seed;
}

TEST(AddressPolicy, allows_what_the_configuration_lists) {
  AddressPolicy policy({"10.1.0.0/16", "127.0.0.1:8080", "[::1]:8080", "fd00::/8:443",
                        "192.168.7.7", "fe80::/10", "172.16.0.0/12:80"});
  EXPECT_TRUE(policy.allows(address("10.1.255.255"), 1));
  EXPECT_FALSE(policy.allows(address("10.2.0.0"), 1));
  EXPECT_TRUE(policy.allows(address("127.0.0.1"), 8080));
  EXPECT_FALSE(policy.allows(address("127.0.0.1"), 8081));
  EXPECT_FALSE(policy.allows(address("127.0.0.2"), 8080));
  EXPECT_TRUE(policy.allows(address("::1"), 8080));
  EXPECT_FALSE(policy.allows(address("::1"), 80));
  EXPECT_TRUE(policy.allows(address("fdff::1"), 443));
  EXPECT_FALSE(policy.allows(address("fdff::1"), 80));
  EXPECT_TRUE(policy.allows(address("192.168.7.7"), 5432));
  EXPECT_TRUE(policy.allows(address("fe80::1"), 1));
  EXPECT_TRUE(policy.allows(address("172.31.0.1"), 80));
  // In whatever notation.
  EXPECT_TRUE(policy.allows(address("::ffff:10.1.2.3"), 1));
  EXPECT_TRUE(policy.allows(address("64:ff9b::10.1.2.3"), 1));
  EXPECT_FALSE(policy.allows(address("::10.1.2.3"), 1));
  EXPECT_FALSE(policy.lists(address("1.1.1.1"), 80));
  EXPECT_TRUE(policy.lists(address("10.1.2.3"), 80));
}

TEST(AddressPolicy, lists_names_with_a_port_or_without) {
  AddressPolicy policy({"intranet.example.com", "Wiki.Example.com.:8443", "localhost:80"});
  auto lists = [&](const char* name, std::uint16_t port) {
    return policy.lists_name(*read_host(name), port);
  };
  EXPECT_TRUE(lists("intranet.example.com", 1));
  EXPECT_TRUE(lists("INTRANET.example.com.", 1));
  EXPECT_FALSE(lists("x.intranet.example.com", 1));
  EXPECT_TRUE(lists("wiki.example.com", 8443));
  EXPECT_FALSE(lists("wiki.example.com", 443));
  EXPECT_TRUE(lists("localhost", 80));
  EXPECT_FALSE(lists("127.0.0.1", 80));
}

TEST(AddressPolicy, a_whole_family_can_be_allowed) {
  AddressPolicy policy({"0.0.0.0/0"});
  EXPECT_TRUE(policy.allows(address("127.0.0.1"), 1));
  EXPECT_FALSE(policy.allows(address("::1"), 1));
  EXPECT_TRUE(AddressPolicy({"::/0"}).allows(address("::1"), 1));
  EXPECT_FALSE(AddressPolicy({"::/0"}).allows(address("127.0.0.1"), 1));
}

TEST(AddressPolicy, says_which_entry_is_wrong_and_how_to_write_it) {
  EXPECT_EQ(complaint("10.1.2.0/16"),
            "'10.1.2.0/16' is no network: write it as 10.1.0.0/16, with zeros behind the 16");
  EXPECT_EQ(complaint("127.0.0.1:0"),
            "'127.0.0.1:0' has no port from 1 to 65535 behind its last colon");
  for (const char* entry : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "::/129"}) {
    EXPECT_NE(complaint(entry).find("is no network"), std::string::npos) << entry;
  }
  for (const char* entry : {"127.0.0.1:http", "[::1]:", "a.test:70000", "fd00::/8:"}) {
    EXPECT_NE(complaint(entry).find("has no port"), std::string::npos) << entry;
  }
  for (const char* entry : {"", " 10.0.0.1", "*.example.com", "http://a.test", "127.1",
                            "0x7f.0.0.1", "a.test/8", "fe80::1%lo", "[::1", "a b"}) {
    EXPECT_NE(complaint(entry).find("write it as"), std::string::npos) << entry;
  }
  EXPECT_EQ(complaint("::1"), "taken");
  EXPECT_EQ(complaint("[::1]"), "taken");
}

}  // namespace capstan
