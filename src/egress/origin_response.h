#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "egress/body_framing.h"
#include "egress/head_reader.h"
#include "egress/proxy_request.h"

namespace capstan {

// What an origin, or a proxy on the way there, answers; no I/O.
struct OriginResponse {
  int status = 0;
  std::string reason;
  std::vector<Header> headers;  // those for the client, in their order; no framing
  BodyFraming body;             // as it is told; a HEAD's answer tells of one that doesn't come
  bool has_body = true;
  bool keeps_alive = false;
  std::string upgrade;  // of a 101

  bool is_interim() const { return status < 200 && status != 101; }
};

// "HTTP/1.1 200 OK" without looking any further; nothing for anything else.
struct StatusLine {
  int status;
  bool is_http_1_0;
  std::string_view reason;
};
std::optional<StatusLine> read_status_line(std::string_view line);

// The answer to that request; or what is wrong with it, for the client. Where the answer ends must
// be as clear as to a browser.
std::variant<OriginResponse, std::string> read_origin_response(const Head& head,
                                                               const ProxyRequest& request);

// The answer's head as the client gets it.
std::string client_head(const OriginResponse& response, bool keeps_alive);

}  // namespace capstan
