#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "egress/body_framing.h"
#include "egress/destination.h"
#include "egress/head_reader.h"

namespace capstan {

// What a client asks of a proxy (RFC 9112, sections 3.2.2 and 3.2.3): a tunnel to somewhere, or
// that a request be made for it. No I/O.
struct ProxyRequest {
  Destination destination;
  bool is_tunnel = false;  // what follows is for a request

  std::string method;
  std::string target;           // as the origin gets it: "/path?query", or "*"
  std::vector<Header> headers;  // those for the origin, in their order; neither Host nor framing
  BodyFraming body;
  bool is_http_1_0 = false;
  bool keeps_alive = false;
  std::string upgrade;  // "websocket", or nothing

  bool is_head() const { return method == "HEAD"; }
  // May be sent once more when an idle connection turned out to be closed already.
  bool is_repeatable() const;
};

// Why a request is not served, for the answer that the client gets.
struct ProxyFault {
  int status;
  std::string message;
};

// Strict everywhere: one Host, one way to say where the body ends, no user in the target. The head
// was read strictly, too.
std::variant<ProxyRequest, ProxyFault> read_proxy_request(const Head& head);
// What to answer for a head that could not be read.
ProxyFault fault_of(HeadReader::State state);

// The request's head as the origin gets it. Header for header what a browser would have sent by
// itself, so that nobody can tell that there is a gateway.
std::string origin_head(const ProxyRequest& request);
// The same for an HTTP proxy on the way there. `authorization` is the value of the header, or
// empty.
std::string absolute_head(const ProxyRequest& request, std::string_view authorization);

// Headers that end at the next hop (RFC 9110, section 7.6.1), and those that Connection names.
std::vector<Header> end_to_end(const std::vector<Header>& headers);

}  // namespace capstan
