#include "egress/upstream.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "egress/destination.h"

namespace capstan {
namespace {

constexpr std::size_t http_login_bytes_max = 1024;
constexpr std::size_t socks_login_bytes_max = 255;  // a length is one byte there

void check_login(std::string_view field, std::string_view text, std::size_t bytes_max) {
  bool has_control = std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
  });
  if (has_control || text.size() > bytes_max) {
    throw Error(ErrorCode::invalid_argument, "the proxy's " + std::string(field) +
                                                 " must have at most " + std::to_string(bytes_max) +
                                                 " bytes and no control characters");
  }
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

void check_upstream(const Upstream& upstream) {
  if (!read_lone_host(upstream.host) || upstream.port == 0) {
    throw Error(ErrorCode::invalid_argument,
                "the proxy's address must be a host name or an IP address, and a port");
  }
  bool is_socks = upstream.protocol == Upstream::Protocol::socks5;
  std::size_t bytes_max = is_socks ? socks_login_bytes_max : http_login_bytes_max;
  check_login("user name", upstream.username, bytes_max);
  check_login("password", upstream.password, bytes_max);
  if (!is_socks && upstream.username.find(':') != std::string::npos) {
    throw Error(ErrorCode::invalid_argument,
                "the proxy's user name must not have a ':', which would end it");
  }
  if (is_socks && upstream.username.empty() && !upstream.password.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "the proxy's password needs a user name: socks5 knows no other way");
  }
}

std::string basic_authorization(const Upstream& upstream) {
  if (upstream.username.empty() && upstream.password.empty()) {
    return {};
  }
  return "Basic " + encode_base64(upstream.username + ":" + upstream.password);
}

}  // namespace capstan
