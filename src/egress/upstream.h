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

// PROTOCOL://HOST:PORT with http, https or socks5, and nothing else, so that there is one way to
// read it. Nothing for any other text.
std::optional<Upstream> parse_upstream(std::string_view server);
// That text again, with the host as it was understood.
std::string server_of(const Upstream& upstream);

// A field that can't be as it is: "username", "must not hold a colon".
struct FieldProblem {
  std::string_view field;
  std::string problem;
};
// What can't be said in the proxy's protocol: characters that would begin a line of their own, a
// ':' in a user name (for http and https), more than SOCKS5 has room for. Nothing if all can.
std::optional<FieldProblem> credentials_problem(const Upstream& upstream);

// Throws invalid_argument, naming the field and the mend but no credentials, for a host that is
// none and for a credentials_problem().
void check_upstream(const Upstream& upstream);

// The value of an HTTP proxy's Proxy-Authorization; empty for a proxy that asks for none.
std::string basic_authorization(const Upstream& upstream);

}  // namespace capstan
