#include <arpa/inet.h>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/check.h"
#include "egress/address_policy.h"
#include "egress/destination.h"

namespace capstan {
namespace {

// A second opinion on addresses, by numbers.

bool is_between(std::uint32_t bits, std::uint32_t first, std::uint32_t last) {
  return bits >= first && bits <= last;
}

bool is_public(std::uint32_t bits) {
  return !is_between(bits, 0x00000000, 0x00ffffff) && !is_between(bits, 0x0a000000, 0x0affffff) &&
         !is_between(bits, 0x64400000, 0x647fffff) && !is_between(bits, 0x7f000000, 0x7fffffff) &&
         bits != 0xa83f8110 && !is_between(bits, 0xa9fe0000, 0xa9feffff) &&
         !is_between(bits, 0xac100000, 0xac1fffff) && !is_between(bits, 0xc0000000, 0xc00000ff) &&
         !is_between(bits, 0xc0000200, 0xc00002ff) && !is_between(bits, 0xc0586300, 0xc05863ff) &&
         !is_between(bits, 0xc0a80000, 0xc0a8ffff) && !is_between(bits, 0xc6120000, 0xc613ffff) &&
         !is_between(bits, 0xc6336400, 0xc63364ff) && !is_between(bits, 0xcb007100, 0xcb0071ff) &&
         bits < 0xe0000000;
}

std::uint64_t number(const std::uint8_t* bytes, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    value = value << 8 | bytes[i];
  }
  return value;
}

bool is_public(const std::uint8_t* bytes) {
  std::uint64_t high = number(bytes, 8);
  auto low = static_cast<std::uint32_t>(number(bytes + 12, 4));
  bool is_mapped = high == 0 && number(bytes + 8, 4) == 0xffff;
  bool is_nat64 = high == 0x0064ff9b00000000 && number(bytes + 8, 4) == 0;
  if (is_mapped || is_nat64) {
    return is_public(low);
  }
  std::uint64_t first = high >> 32;
  return first >= 0x20000000 && first <= 0x3fffffff &&
         !(first >= 0x20010000 && first <= 0x200101ff) && first != 0x20010db8 &&
         first >> 16 != 0x2002 && first >> 12 != 0x3fff0;
}

void check_address(const std::uint8_t* bytes, std::size_t size) {
  if (size >= 4) {
    auto bits = static_cast<std::uint32_t>(number(bytes, 4));
    CHECK(is_public_address(asio::ip::address_v4(bits)) == is_public(bits));
  }
  if (size >= 16) {
    asio::ip::address_v6::bytes_type copy;
    std::memcpy(copy.data(), bytes, copy.size());
    CHECK(is_public_address(asio::ip::address_v6(copy)) == is_public(bytes));
  }
}

// What the system would make of the text, if it took it for an address.
void check_host(const std::string& text) {
  auto host = read_host(text);
  in_addr v4{};
  in6_addr v6{};
  if (text.find('\0') == std::string::npos && ::inet_pton(AF_INET, text.c_str(), &v4) == 1) {
    CHECK(host && host->address && host->address->is_v4());
    CHECK(host->address->to_v4().to_uint() == ntohl(v4.s_addr));
  }
  if (!host) {
    return;
  }
  auto again = read_host(host->text);
  CHECK(again && again->text == host->text && again->address == host->address);
  if (!host->address) {
    // No name that is looked up may be an address to anybody else.
    std::string name(host->name());
    CHECK(!name.empty() && name.size() <= 253);
    CHECK(::inet_aton(name.c_str(), &v4) == 0);
    CHECK(::inet_pton(AF_INET6, name.c_str(), &v6) == 0);
    CHECK(name.find_first_of(std::string_view("\r\n\0 :/@[]%", 10)) == std::string::npos);
  } else if (host->address->is_v4() && !text.starts_with('[') && !text.ends_with('.') &&
             ::inet_aton(text.c_str(), &v4) == 1) {
    CHECK(host->address->to_v4().to_uint() == ntohl(v4.s_addr));
  }
}

}  // namespace
}  // namespace capstan

// Hosts are read, and addresses judged, as a second opinion does.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace capstan;
  check_address(bytes, size);
  std::string text(reinterpret_cast<const char*>(bytes), size);
  check_host(text);
  if (auto destination = read_destination(text, 80)) {
    auto again = read_destination(destination->text(), std::nullopt);
    CHECK(again && again->text() == destination->text());
  }
  return 0;
}
