#include "http/response_head.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/text.h"

namespace capstan {
namespace {

bool is_ours(std::string_view name) {
  constexpr std::array<std::string_view, 5> names = {"content-length", "transfer-encoding", "date",
                                                     "connection", "x-request-id"};
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view own) { return equal_ignoring_case(name, own); });
}

bool is_safe(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7f';
  });
}

void add_header(std::string& head, std::string_view name, std::string_view value) {
  head += name;
  head += ": ";
  head += value;
  head += "\r\n";
}

}  // namespace

std::string_view reason_of(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

bool has_body(int status) { return status >= 200 && status != 204 && status != 304; }

std::optional<std::string> response_head(int status, const std::vector<Header>& headers,
                                         const ResponseFraming& framing) {
  std::string head;
  head.reserve(256);
  head += "HTTP/1.1 ";
  head += std::to_string(status);
  head += ' ';
  head += reason_of(status);
  head += "\r\n";
  for (const Header& header : headers) {
    if (!is_safe(header.name) || !is_safe(header.value)) {
      return std::nullopt;
    }
    if (!is_ours(header.name)) {
      add_header(head, header.name, header.value);
    }
  }
  if (framing.body_bytes && has_body(status)) {
    add_header(head, "content-length", std::to_string(*framing.body_bytes));
  } else if (has_body(status) && !framing.is_http_1_0) {
    add_header(head, "transfer-encoding", "chunked");
  }
  add_header(head, "date", http_date(framing.now));
  add_header(head, "x-request-id", framing.request_id);
  if (!framing.keeps_alive) {
    add_header(head, "connection", "close");
  } else if (framing.is_http_1_0) {
    add_header(head, "connection", "keep-alive");
  }
  head += "\r\n";
  return head;
}

std::string http_date(WallTime time) {
  constexpr std::array<const char*, 7> days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  auto day = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day date(day);
  std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  std::array<char, 40> text{};
  int length = std::snprintf(
      text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT",
      days[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
      months[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()));
  return std::string(text.data(), static_cast<std::size_t>(length));
}

std::string to_chunk(std::string_view text) {
  if (text.empty()) {
    return {};
  }
  std::array<char, 20> size{};
  int length = std::snprintf(size.data(), size.size(), "%zx\r\n", text.size());
  std::string chunk(size.data(), static_cast<std::size_t>(length));
  chunk += text;
  chunk += "\r\n";
  return chunk;
}

}  // namespace capstan
