#include "egress/address_policy.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"

namespace capstan {
namespace {

struct Special4 {
  std::array<std::uint8_t, 4> bytes;
  unsigned prefix_bits;
};

constexpr std::array special_v4 = {
    Special4{{0, 0, 0, 0}, 8},         // this network
    Special4{{10, 0, 0, 0}, 8},        // private
    Special4{{100, 64, 0, 0}, 10},     // behind a provider's translation
    Special4{{127, 0, 0, 0}, 8},       // loopback
    Special4{{168, 63, 129, 16}, 32},  // Azure's own services, reached from its machines alone
    Special4{{169, 254, 0, 0}, 16},    // link-local, and the metadata of most clouds
    Special4{{172, 16, 0, 0}, 12},     // private
    Special4{{192, 0, 0, 0}, 24},      // protocol assignments
    Special4{{192, 0, 2, 0}, 24},      // documentation
    Special4{{192, 88, 99, 0}, 24},    // 6to4 relays
    Special4{{192, 168, 0, 0}, 16},    // private
    Special4{{198, 18, 0, 0}, 15},     // benchmarks
    Special4{{198, 51, 100, 0}, 24},   // documentation
    Special4{{203, 0, 113, 0}, 24},    // documentation
    Special4{{224, 0, 0, 0}, 4},       // multicast
    Special4{{240, 0, 0, 0}, 4},       // reserved, broadcast
};

struct Special6 {
  std::array<std::uint8_t, 4> bytes;
  unsigned prefix_bits;
};

// Within 2000::/3; nothing outside of it is global unicast.
constexpr std::array special_v6 = {
    Special6{{0x20, 0x01, 0x00}, 23},        // protocol assignments, Teredo among them
    Special6{{0x20, 0x01, 0x0d, 0xb8}, 32},  // documentation
    Special6{{0x20, 0x02}, 16},              // 6to4
    Special6{{0x3f, 0xff}, 20},              // documentation
};

constexpr std::array<std::uint8_t, 12> nat64 = {0x00, 0x64, 0xff, 0x9b};

template <std::size_t A, std::size_t B>
bool shares_prefix(const std::array<std::uint8_t, A>& a, const std::array<std::uint8_t, B>& b,
                   unsigned bits) {
  std::size_t whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole), b.begin())) {
    return false;
  }
  unsigned rest = bits % 8;
  return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

// The address that will be reached in the end: what stands in IPv6 for an IPv4 address, as that.
asio::ip::address leading_to(const asio::ip::address& address) {
  if (address.is_v6()) {
    auto bytes = address.to_v6().to_bytes();
    if (shares_prefix(bytes, nat64, 96)) {
      return asio::ip::address_v4({bytes[12], bytes[13], bytes[14], bytes[15]});
    }
  }
  return canonical_address(address);
}

bool is_public_v4(const asio::ip::address_v4& address) {
  auto bytes = address.to_bytes();
  return std::none_of(special_v4.begin(), special_v4.end(), [&](const Special4& special) {
    return shares_prefix(bytes, special.bytes, special.prefix_bits);
  });
}

bool is_public_v6(const asio::ip::address_v6& address) {
  auto bytes = address.to_bytes();
  return bytes[0] >> 5 == 1 &&  // 2000::/3
         std::none_of(special_v6.begin(), special_v6.end(), [&](const Special6& special) {
           return shares_prefix(bytes, special.bytes, special.prefix_bits);
         });
}

Error entry_error(std::string_view entry, const std::string& trouble) {
  return Error(ErrorCode::invalid_argument, "'" + std::string(entry) + "' " + trouble);
}

std::array<std::uint8_t, 16> to_bytes(const asio::ip::address& address) {
  std::array<std::uint8_t, 16> bytes{};
  if (address.is_v4()) {
    auto v4 = address.to_v4().to_bytes();
    std::copy(v4.begin(), v4.end(), bytes.begin());
  } else {
    auto v6 = address.to_v6().to_bytes();
    std::copy(v6.begin(), v6.end(), bytes.begin());
  }
  return bytes;
}

// Takes ":PORT" off the end of an entry. An IPv6 address without brackets or prefix has no port.
std::string_view cut_port(std::string_view entry, std::uint16_t* port) {
  std::size_t after = entry.find('/');
  if (after == std::string_view::npos) {
    after = entry.starts_with('[') ? entry.find(']') : 0;
  }
  std::size_t colon = after == std::string_view::npos ? after : entry.find(':', after);
  bool is_bare_v6 = after == 0 && colon != std::string_view::npos && entry.rfind(':') != colon;
  if (colon == std::string_view::npos || is_bare_v6) {
    return entry;
  }
  auto number = read_port(entry.substr(colon + 1));
  if (!number) {
    throw entry_error(entry, "has no port from 1 to 65535 behind its last colon");
  }
  *port = *number;
  return entry.substr(0, colon);
}

std::optional<asio::ip::address> read_address(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) {
    text = text.substr(1, text.size() - 2);
  }
  boost::system::error_code error;
  auto address = asio::ip::make_address(std::string(text), error);
  if (error || text.find('%') != std::string_view::npos) {
    return std::nullopt;
  }
  return canonical_address(address);
}

}  // namespace

bool is_public_address(const asio::ip::address& address) {
  auto goal = leading_to(address);
  return goal.is_v4() ? is_public_v4(goal.to_v4()) : is_public_v6(goal.to_v6());
}

AddressPolicy::AddressPolicy(const std::vector<std::string>& allow) {
  for (const std::string& entry : allow) {
    add(entry);
  }
}

void AddressPolicy::add(std::string_view entry) {
  std::uint16_t port = 0;
  std::string_view text = cut_port(entry, &port);
  Network network;
  network.port = port;
  std::string_view host = text.substr(0, text.find('/'));
  if (auto address = read_address(host)) {
    network.is_v4 = address->is_v4();
    network.bytes = to_bytes(*address);
    network.prefix_bits = address->is_v4() ? 32 : 128;
    if (host.size() < text.size() && !read_network(text, &network)) {
      throw entry_error(entry, "is no network: write it as 10.1.0.0/16, with zeros behind the 16");
    }
    networks_.push_back(network);
    return;
  }
  auto name = read_host(text);
  if (!name || name->address) {
    throw entry_error(entry,
                      "is no address, network or name to allow: write it as 127.0.0.1:8080, "
                      "10.1.0.0/16, [::1]:8080 or intranet.example.com");
  }
  names_.push_back({std::string(name->name()), port});
}

// Reads "/BITS" behind an address; nothing but zeros may follow the network's own bits.
bool AddressPolicy::read_network(std::string_view text, Network* network) {
  std::string_view digits = text.substr(text.find('/') + 1);
  unsigned bits = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (error != std::errc() || end != digits.data() + digits.size() || bits > network->prefix_bits) {
    return false;
  }
  network->prefix_bits = bits;
  for (std::size_t bit = bits; bit < 128; ++bit) {
    if ((network->bytes[bit / 8] >> (7 - bit % 8) & 1) != 0) {
      return false;
    }
  }
  return true;
}

bool AddressPolicy::allows(const asio::ip::address& address, std::uint16_t port) const {
  return is_public_address(address) || lists(address, port);
}

bool AddressPolicy::lists(const asio::ip::address& address, std::uint16_t port) const {
  auto goal = leading_to(address);
  auto bytes = to_bytes(goal);
  return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
    return network.is_v4 == goal.is_v4() && (network.port == 0 || network.port == port) &&
           shares_prefix(bytes, network.bytes, network.prefix_bits);
  });
}

bool AddressPolicy::lists_name(const Host& host, std::uint16_t port) const {
  return !host.address && std::any_of(names_.begin(), names_.end(), [&](const Name& name) {
    return name.text == host.name() && (name.port == 0 || name.port == port);
  });
}

}  // namespace capstan
