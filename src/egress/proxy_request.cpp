#include "egress/proxy_request.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "http/grammar.h"

namespace capstan {
namespace {

constexpr std::uint16_t http_port = 80;

using Reading = std::variant<ProxyRequest, ProxyFault>;

ProxyFault bad(std::string message) { return {400, std::move(message)}; }

bool names(std::string_view name, std::initializer_list<std::string_view> wanted) {
  return std::any_of(wanted.begin(), wanted.end(),
                     [&](std::string_view each) { return equal_ignoring_case(name, each); });
}

bool ends_at_next_hop(std::string_view name) {
  return names(name, {"connection", "keep-alive", "te", "upgrade", "transfer-encoding"}) ||
         equal_ignoring_case(name.substr(0, 6), "proxy-");
}

struct RequestLine {
  std::string_view method;
  std::string_view target;
  std::string_view version;
};

std::optional<RequestLine> split_request_line(std::string_view line) {
  std::size_t first = line.find(' ');
  std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return std::nullopt;
  }
  RequestLine parts{line.substr(0, first), line.substr(first + 1, last - first - 1),
                    line.substr(last + 1)};
  bool is_visible = std::all_of(parts.target.begin(), parts.target.end(),
                                [](char c) { return c > ' ' && c < '\x7f' && c != '#'; });
  return is_token(parts.method) && is_visible ? std::optional(parts) : std::nullopt;
}

// "http://HOST[:PORT][/PATH][?QUERY]"
std::optional<ProxyFault> read_absolute(std::string_view target, ProxyRequest* request) {
  constexpr std::string_view scheme = "http://";
  if (!equal_ignoring_case(target.substr(0, scheme.size()), scheme)) {
    return equal_ignoring_case(target.substr(0, 8), "https://")
               ? bad("https goes through a tunnel: ask for one with CONNECT")
               : bad("this is a proxy: the target must be http://HOST/PATH, or HOST:PORT of "
                     "CONNECT");
  }
  target.remove_prefix(scheme.size());
  std::size_t path = target.find_first_of("/?");
  auto destination = read_destination(target.substr(0, path), http_port);
  if (!destination) {
    return bad("the target names no host, or none that can be read in one way only");
  }
  request->destination = std::move(*destination);
  if (path != std::string_view::npos) {
    request->target = (target[path] == '?' ? "/" : "") + std::string(target.substr(path));
  } else {
    request->target = request->method == "OPTIONS" ? "*" : "/";
  }
  return std::nullopt;
}

std::optional<ProxyFault> check_host(const Head& head, bool is_http_1_0) {
  auto hosts = values_of(head.headers, "host");
  // What it says is of no interest: the target counts. But who sends two wants to deceive somebody.
  if (hosts.size() > 1 || (hosts.empty() && !is_http_1_0)) {
    return bad("the header host must be there once");
  }
  return std::nullopt;
}

std::optional<ProxyFault> read_framing(const Head& head, ProxyRequest* request) {
  auto codings = values_of(head.headers, "transfer-encoding");
  auto lengths = values_of(head.headers, "content-length");
  if (!codings.empty()) {
    if (codings.size() > 1 || !lengths.empty() || request->is_http_1_0 ||
        !equal_ignoring_case(codings.front(), "chunked")) {
      return bad("the only transfer-encoding is chunked, in HTTP/1.1 and without content-length");
    }
    request->body.kind = BodyFraming::Kind::chunked;
  } else if (!lengths.empty()) {
    auto length = read_length(lengths.front());
    if (lengths.size() > 1 || !length) {
      return bad("content-length must be one number");
    }
    request->body = {BodyFraming::Kind::length, *length};
  }
  return std::nullopt;
}

void read_connection(const Head& head, ProxyRequest* request) {
  request->keeps_alive = !request->is_http_1_0;
  bool wants_upgrade = false;
  for (const Header& header : head.headers) {
    if (names(header.name, {"connection", "proxy-connection"})) {
      if (lists(header.value, "close")) {
        request->keeps_alive = false;
      }
      wants_upgrade = wants_upgrade || lists(header.value, "upgrade");
    }
  }
  // Other protocols would go on in a way that nobody here understands (h2c).
  auto upgrades = values_of(head.headers, "upgrade");
  if (wants_upgrade && upgrades.size() == 1 && equal_ignoring_case(upgrades.front(), "websocket") &&
      request->method == "GET" && request->body.kind == BodyFraming::Kind::none &&
      !request->is_http_1_0) {
    request->upgrade = upgrades.front();
  }
}

Reading read_tunnel(const RequestLine& line, const Head& head, ProxyRequest request) {
  auto destination = read_destination(line.target, std::nullopt);
  if (!destination) {
    return bad("CONNECT wants HOST:PORT, with a host that can be read in one way only");
  }
  if (!values_of(head.headers, "transfer-encoding").empty() ||
      !values_of(head.headers, "content-length").empty()) {
    return bad("CONNECT has no body");
  }
  request.is_tunnel = true;
  request.destination = std::move(*destination);
  return request;
}

void add_header(std::string* head, std::string_view name, std::string_view value) {
  *head += name;
  *head += ": ";
  *head += value;
  *head += "\r\n";
}

// In the order in which Chromium would have sent them.
std::string to_head(const ProxyRequest& request, std::string_view target,
                    std::string_view authorization) {
  std::string head = request.method + " ";
  head += target;
  head += request.is_http_1_0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n";
  bool is_usual_port = request.destination.port == http_port;
  add_header(&head, "Host",
             is_usual_port ? request.destination.host.text : request.destination.text());
  if (!authorization.empty()) {
    add_header(&head, "Proxy-Authorization", authorization);
  }
  if (!request.upgrade.empty()) {
    add_header(&head, "Connection", "Upgrade");
    add_header(&head, "Upgrade", request.upgrade);
  } else {
    add_header(&head, "Connection", request.is_http_1_0 ? "close" : "keep-alive");
  }
  if (request.body.kind == BodyFraming::Kind::chunked) {
    add_header(&head, "Transfer-Encoding", "chunked");
  } else if (request.body.kind == BodyFraming::Kind::length) {
    add_header(&head, "Content-Length", std::to_string(request.body.length));
  }
  for (const Header& header : request.headers) {
    add_header(&head, header.name, header.value);
  }
  return head + "\r\n";
}

}  // namespace

bool ProxyRequest::is_repeatable() const {
  return body.kind == BodyFraming::Kind::none &&
         (method == "GET" || method == "HEAD" || method == "OPTIONS");
}

Reading read_proxy_request(const Head& head) {
  auto line = split_request_line(head.start_line);
  if (!line) {
    return bad("the request line is not 'METHOD TARGET HTTP/1.1'");
  }
  if (line->version != "HTTP/1.1" && line->version != "HTTP/1.0") {
    return ProxyFault{505, "HTTP/1.1 and HTTP/1.0 are spoken here"};
  }
  ProxyRequest request;
  request.method = line->method;
  request.is_http_1_0 = line->version == "HTTP/1.0";
  if (auto fault = check_host(head, request.is_http_1_0)) {
    return *fault;
  }
  if (request.method == "CONNECT") {
    return read_tunnel(*line, head, std::move(request));
  }
  auto fault = read_absolute(line->target, &request);
  if (!fault) {
    fault = read_framing(head, &request);
  }
  if (fault) {
    return *fault;
  }
  read_connection(head, &request);
  request.headers = end_to_end(head.headers);
  std::erase_if(request.headers, [](const Header& header) {
    return names(header.name, {"host", "content-length"});
  });
  return request;
}

ProxyFault fault_of(HeadReader::State state) {
  if (state == HeadReader::State::too_large) {
    return {431, "the request's header is too long"};
  }
  return bad("the request's header is malformed");
}

std::string origin_head(const ProxyRequest& request) {
  return to_head(request, request.target, {});
}

std::string absolute_head(const ProxyRequest& request, std::string_view authorization) {
  const Destination& destination = request.destination;
  std::string target = "http://";
  target += destination.port == http_port ? destination.host.text : destination.text();
  return to_head(request, request.target == "*" ? target : target + request.target, authorization);
}

std::vector<Header> end_to_end(const std::vector<Header>& headers) {
  std::set<std::string> nominated;
  for (std::string_view list : values_of(headers, "connection")) {
    while (!list.empty()) {
      std::string_view item = list.substr(0, list.find(','));
      list.remove_prefix(std::min(item.size() + 1, list.size()));
      nominated.insert(to_lower(trim(item)));
    }
  }
  std::vector<Header> kept;
  for (const Header& header : headers) {
    if (!ends_at_next_hop(header.name) && !nominated.contains(to_lower(header.name))) {
      kept.push_back(header);
    }
  }
  return kept;
}

}  // namespace capstan
