#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace capstan {

// A proxy of somebody else's that a session's traffic leaves through.
struct Upstream {
  enum class Protocol { http, https, socks5 };

  Protocol protocol = Protocol::http;
  std::string host;  // a name or an address; an IPv6 address without its brackets
  std::uint16_t port = 0;
  std::string username = {};  // empty, with the password, for a proxy that asks for none
  std::string password = {};
  // Named by whoever runs this server, so that its own address may be a private one. What a caller
  // names is checked like every other destination.
  bool is_trusted = false;
};

std::string_view to_text(Upstream::Protocol protocol);
std::optional<Upstream::Protocol> parse_upstream_protocol(std::string_view text);

// Throws invalid_argument, naming the field and the mend but no credentials, for what could not be
// said in the proxy's protocol: a host that is none, characters that would begin a line of their
// own, a ':' in a user name (for http and https), more than SOCKS5 has room for.
void check_upstream(const Upstream& upstream);

// The value of an HTTP proxy's Proxy-Authorization; empty for a proxy that asks for none.
std::string basic_authorization(const Upstream& upstream);

}  // namespace capstan
