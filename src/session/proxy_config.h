#pragma once

#include "base/json.h"

namespace capstan {

// Checks a ProxyConfig of AnchorBrowser's schema (AnchorProxy or CustomProxy) and returns it
// without its password. Proxies are not applied yet, so an active one is refused: a session that
// silently went without its proxy would show its address to the sites it visits.
json::object read_proxy_config(Fields in, const json::object& sent);

// Whether the text is a port from 1 to 65535.
bool is_port(std::string_view text);

}  // namespace capstan
