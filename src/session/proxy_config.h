#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "access/caller.h"
#include "base/json.h"
#include "egress/exits.h"
#include "store/sealer.h"

namespace capstan {

// An exit of this server's, by its place.
struct AnchorProxy {
  Place place;
};

// A proxy of the caller's own.
struct CustomProxy {
  Upstream server;      // without its password
  SealedText password;  // for the team that brought it; empty while the proxy is not active
};

// What was asked of a session's way out: ProxyConfig of AnchorBrowser's schema.
struct ProxyConfig {
  bool active = false;
  std::variant<AnchorProxy, CustomProxy> proxy;
};

// How a password comes to be sealed when a configuration is read.
using TakePassword = std::function<SealedText(std::string)>;
// By sealing what a caller of the team has sent.
TakePassword sealing_for(const TeamId& team, const Sealer& sealer);
// By taking it for what it is, because it comes from a row.
inline SealedText already_sealed(std::string text) { return {std::move(text)}; }

// Reads and checks a configuration; problems are noted in `in`.
ProxyConfig read_proxy_config(Fields in, const TakePassword& take_password);

// For the caller: never with a password.
json::object to_json(const ProxyConfig& config);
// For a row: with the password, sealed.
json::object to_stored_json(const ProxyConfig& config);

// Throws invalid_argument when no exit serves the place that is asked for.
void check_proxy_config(const ProxyConfig& config, const Exits& exits);

// The proxy that the team's traffic leaves through; nothing if none is asked for. Throws
// invalid_argument when no exit serves the place, internal when the password can't be opened.
std::optional<Upstream> upstream_of(const std::optional<ProxyConfig>& config, const TeamId& team,
                                    const Exits& exits, const Sealer& sealer);

// Whether the text is a port from 1 to 65535.
bool is_port(std::string_view text);

}  // namespace capstan
