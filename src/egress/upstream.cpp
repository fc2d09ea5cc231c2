#include "egress/upstream.h"

namespace capstan {

std::string_view to_text(Upstream::Protocol protocol) {
  switch (protocol) {
    case Upstream::Protocol::http:
      return "http";
    case Upstream::Protocol::https:
      return "https";
    case Upstream::Protocol::socks5:
      return "socks5";
  }
  return "http";
}

std::optional<Upstream::Protocol> parse_upstream_protocol(std::string_view text) {
  for (auto protocol :
       {Upstream::Protocol::http, Upstream::Protocol::https, Upstream::Protocol::socks5}) {
    if (text == to_text(protocol)) {
      return protocol;
    }
  }
  return std::nullopt;
}

}  // namespace capstan
