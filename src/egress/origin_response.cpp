#include "egress/origin_response.h"

#include <algorithm>

#include "base/text.h"
#include "http/grammar.h"

namespace capstan {
namespace {

using Kind = BodyFraming::Kind;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Says what is wrong with the framing, or nothing.
std::string read_framing(const Head& head, const ProxyRequest& request, OriginResponse* response) {
  auto codings = values_of(head.headers, "transfer-encoding");
  auto lengths = values_of(head.headers, "content-length");
  response->has_body = !request.is_head() && response->status >= 200 && response->status != 204 &&
                       response->status != 304;
  if (!codings.empty()) {
    if (codings.size() > 1 || !equal_ignoring_case(codings.front(), "chunked")) {
      return "the server's answer has a transfer-encoding other than chunked";
    }
    if (request.is_http_1_0 && response->has_body) {
      return "the server's answer comes in chunks, which HTTP/1.0 doesn't know";
    }
    response->body.kind = Kind::chunked;
    // Somebody on the way may have taken the length for true.
    response->keeps_alive = response->keeps_alive && lengths.empty();
  } else if (!lengths.empty()) {
    auto length = read_length(lengths.front());
    bool is_clear = std::all_of(lengths.begin(), lengths.end(),
                                [&](auto other) { return read_length(other) == length; });
    if (!length || !is_clear) {
      return "the server's answer says in two ways how long it is, or in none that is a number";
    }
    response->body = {Kind::length, *length};
  } else {
    response->body.kind = Kind::until_close;
    response->keeps_alive = response->keeps_alive && !response->has_body;
  }
  return {};
}

void add_framing(std::string* head, const BodyFraming& body) {
  if (body.kind == Kind::chunked) {
    *head += "Transfer-Encoding: chunked\r\n";
  } else if (body.kind == Kind::length) {
    *head += "Content-Length: " + std::to_string(body.length) + "\r\n";
  }
}

}  // namespace

std::optional<StatusLine> read_status_line(std::string_view line) {
  bool is_http = line.size() >= 12 && line.starts_with("HTTP/1.") && is_digit(line[7]) &&
                 line[8] == ' ' && line[9] >= '1' && line[9] <= '9' && is_digit(line[10]) &&
                 is_digit(line[11]) && (line.size() == 12 || line[12] == ' ');
  if (!is_http) {
    return std::nullopt;
  }
  int status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  return StatusLine{status, line[7] == '0', line.substr(std::min<std::size_t>(13, line.size()))};
}

std::variant<OriginResponse, std::string> read_origin_response(const Head& head,
                                                               const ProxyRequest& request) {
  auto line = read_status_line(head.start_line);
  if (!line) {
    return "the server's answer is not HTTP/1.1";
  }
  OriginResponse response;
  response.status = line->status;
  response.reason = line->reason;
  response.keeps_alive = !line->is_http_1_0;
  for (std::string_view value : values_of(head.headers, "connection")) {
    response.keeps_alive = response.keeps_alive || lists(value, "keep-alive");
  }
  for (std::string_view value : values_of(head.headers, "connection")) {
    response.keeps_alive = response.keeps_alive && !lists(value, "close");
  }
  if (response.status == 101) {
    auto upgrades = values_of(head.headers, "upgrade");
    if (request.upgrade.empty() || upgrades.size() != 1 ||
        !equal_ignoring_case(upgrades.front(), request.upgrade)) {
      return "the server switches to a protocol that was not asked for";
    }
    response.upgrade = upgrades.front();
  }
  std::string fault = read_framing(head, request, &response);
  if (!fault.empty()) {
    return fault;
  }
  response.headers = end_to_end(head.headers);
  std::erase_if(response.headers, [](const Header& header) {
    return equal_ignoring_case(header.name, "content-length");
  });
  return response;
}

std::string client_head(const OriginResponse& response, bool keeps_alive) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " " + response.reason + "\r\n";
  for (const Header& header : response.headers) {
    head += header.name + ": " + header.value + "\r\n";
  }
  if (!response.upgrade.empty()) {
    head += "Connection: Upgrade\r\nUpgrade: " + response.upgrade + "\r\n";
  } else if (response.status >= 200) {
    if (response.status != 204) {
      add_framing(&head, response.body);
    }
    head += keeps_alive ? "Connection: keep-alive\r\n" : "Connection: close\r\n";
  }
  return head + "\r\n";
}

}  // namespace capstan
