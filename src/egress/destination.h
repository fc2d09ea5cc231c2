#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/ip/address.hpp>

#include "io/async.h"

namespace capstan {

// A host as a URL names it, read the one way that browsers read it (WHATWG URL, "host parsing"):
// 0x7f.1, 017700000001 and 2130706433 are 127.0.0.1 and no names. What a browser would still have
// to decode (percent escapes, letters beyond ASCII) is refused: it sends the decoded form.
struct Host {
  std::string text;                          // canonical: "example.com", "127.0.0.1", "[::1]"
  std::optional<asio::ip::address> address;  // for all but names

  // For comparing and looking up names: without the dot that a name may end with.
  std::string_view name() const;
};

// Nothing for what is neither a name nor an address. IPv6 stands in brackets, without a zone.
std::optional<Host> read_host(std::string_view text);
// The same where nothing can follow the host, so that IPv6 may do without brackets.
std::optional<Host> read_lone_host(std::string_view text);

struct Destination {
  Host host;
  std::uint16_t port = 0;

  // "example.com:443"
  std::string text() const;
};

// "HOST:PORT"; the port may be missing where there is a default. Nothing for anything else.
std::optional<Destination> read_destination(std::string_view text,
                                            std::optional<std::uint16_t> default_port);

// A number from 1 to 65535 without anything around it.
std::optional<std::uint16_t> read_port(std::string_view text);

// An IPv4 address that is written as IPv6 (::ffff:10.0.0.1) as IPv4; others as they are.
asio::ip::address canonical_address(const asio::ip::address& address);

}  // namespace capstan
