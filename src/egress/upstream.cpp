#include "egress/upstream.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "egress/destination.h"

namespace capstan {
namespace {

constexpr std::size_t http_login_bytes_max = 1024;
constexpr std::size_t socks_login_bytes_max = 255;  // a length is one byte there

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

}  // namespace

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

std::optional<Upstream> parse_upstream(std::string_view server) {
  std::size_t scheme_end = server.find("://");
  if (scheme_end == std::string_view::npos) {
    return std::nullopt;
  }
  auto protocol = parse_upstream_protocol(server.substr(0, scheme_end));
  auto destination = read_destination(server.substr(scheme_end + 3), std::nullopt);
  if (!protocol || !destination) {
    return std::nullopt;
  }
  const Host& host = destination->host;
  return Upstream{.protocol = *protocol,
                  .host = host.address ? host.address->to_string() : host.text,
                  .port = destination->port};
}

std::string server_of(const Upstream& upstream) {
  bool is_ipv6 = upstream.host.find(':') != std::string::npos;
  return std::string(to_text(upstream.protocol)) + "://" + (is_ipv6 ? "[" : "") + upstream.host +
         (is_ipv6 ? "]" : "") + ":" + std::to_string(upstream.port);
}

std::optional<FieldProblem> credentials_problem(const Upstream& upstream) {
  bool is_socks = upstream.protocol == Upstream::Protocol::socks5;
  std::size_t bytes_max = is_socks ? socks_login_bytes_max : http_login_bytes_max;
  auto is_bad = [&](std::string_view text) {
    return text.size() > bytes_max || has_control_character(text);
  };
  std::string problem = "must have at most " + std::to_string(bytes_max) +
                        " bytes and no control characters" + (is_socks ? ", with socks5" : "");
  if (is_bad(upstream.username)) {
    return FieldProblem{"username", std::move(problem)};
  }
  if (is_bad(upstream.password)) {
    return FieldProblem{"password", std::move(problem)};
  }
  if (is_socks && upstream.username.empty() && !upstream.password.empty()) {
    return FieldProblem{"username", "must not be empty when there is a password, with socks5"};
  }
  if (!is_socks && upstream.username.find(':') != std::string::npos) {
    return FieldProblem{"username",
                        "must not hold a colon: HTTP could not tell where the password begins"};
  }
  return std::nullopt;
}

void check_upstream(const Upstream& upstream) {
  if (!read_lone_host(upstream.host) || upstream.port == 0) {
    throw Error(ErrorCode::invalid_argument,
                "the proxy's address must be a host name or an IP address, and a port");
  }
  if (auto problem = credentials_problem(upstream)) {
    throw Error(ErrorCode::invalid_argument,
                "the proxy's " + std::string(problem->field) + " " + problem->problem);
  }
}

std::string basic_authorization(const Upstream& upstream) {
  if (upstream.username.empty() && upstream.password.empty()) {
    return {};
  }
  return "Basic " + encode_base64(upstream.username + ":" + upstream.password);
}

}  // namespace capstan
