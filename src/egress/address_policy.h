#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "egress/destination.h"

namespace capstan {

// Whether anybody on the internet could reach the address: global unicast, and in none of IANA's
// registries of special purposes. An IPv4 address inside an IPv6 one counts as what it leads to.
bool is_public_address(const asio::ip::address& address);

// Which addresses may be dialled: the public ones, and those that this server's configuration
// lists.
class AddressPolicy {
 public:
  // Entries are addresses, networks and names, each with a port or without: "10.1.0.0/16",
  // "127.0.0.1:8080", "[::1]:8080", "fd00::/8:443", "intranet.example.com". A listed name may
  // resolve to any address. Throws invalid_argument, naming the entry and the mend.
  explicit AddressPolicy(const std::vector<std::string>& allow = {});

  bool allows(const asio::ip::address& address, std::uint16_t port) const;
  // Whether the configuration names it, public or not.
  bool lists(const asio::ip::address& address, std::uint16_t port) const;
  bool lists_name(const Host& host, std::uint16_t port) const;

 private:
  struct Network {
    bool is_v4 = false;
    std::array<std::uint8_t, 16> bytes{};  // IPv4 takes the first four
    unsigned prefix_bits = 0;
    std::uint16_t port = 0;  // 0 for every port
  };
  struct Name {
    std::string text;
    std::uint16_t port = 0;
  };
  void add(std::string_view entry);
  static bool read_network(std::string_view text, Network* network);

  std::vector<Network> networks_;
  std::vector<Name> names_;
};

}  // namespace capstan
