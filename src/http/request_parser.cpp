#include "http/request_parser.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "http/grammar.h"

namespace capstan {
namespace {

constexpr std::size_t id_bytes_max = 128;

bool is_host(std::string_view text) {
  constexpr std::string_view marks = "-._~:[]%";  // names, IPv4, [IPv6], a port
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return is_letter_or_digit(c) || marks.find(c) != std::string_view::npos;
  });
}

bool is_request_id(std::string_view text) {
  constexpr std::string_view marks = "-._:";
  return !text.empty() && text.size() <= id_bytes_max &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return is_letter_or_digit(c) || marks.find(c) != std::string_view::npos;
         });
}

std::string all_methods() {
  std::string names;
  for (Method method : {Method::get, Method::head, Method::post, Method::put, Method::patch,
                        Method::del, Method::options}) {
    names += names.empty() ? "" : ", ";
    names += to_text(method);
  }
  return names;
}

}  // namespace

bool RequestParser::refuse(int status, std::string message) {
  state_ = State::refused;
  refusal_ = Refusal{status, std::move(message)};
  return false;
}

Refusal RequestParser::too_slow() const {
  return {408, state_ == State::head ? "the request's header did not arrive in time"
                                     : "the request's body did not arrive in time"};
}

Refusal RequestParser::cut_short() const {
  return {400, state_ == State::head ? "the request ended within its header"
                                     : "the request ended before its body was complete"};
}

std::size_t RequestParser::feed(std::string_view bytes) {
  return state_ == State::head ? feed_head(bytes) : feed_body(bytes);
}

// Byte by byte, so that a verdict depends on the bytes before it alone.
std::size_t RequestParser::feed_head(std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && state_ == State::head) {
    char c = bytes[taken];
    ++taken;
    if (++head_bytes_ > limits_.header_bytes_max) {
      refuse(431, "the request's header is longer than " +
                      std::to_string(limits_.header_bytes_max) + " bytes");
    } else if (in_request_line_ && head_bytes_ > limits_.request_line_bytes_max) {
      refuse(414, "the request line is longer than " +
                      std::to_string(limits_.request_line_bytes_max) + " bytes");
    } else if (c == '\n') {
      if (!line_.ends_with('\r')) {
        refuse(400, "a line of the request's header does not end with CR LF");
      } else {
        line_.pop_back();
        take_line();
        line_.clear();
      }
    } else if (line_.ends_with('\r')) {
      refuse(400, "a CR stands within a line of the request's header");
    } else if ((static_cast<unsigned char>(c) < ' ' && c != '\t' && c != '\r') || c == '\x7f') {
      refuse(400, "a control character stands in the request's header");
    } else {
      line_ += c;
    }
  }
  return taken;
}

void RequestParser::take_line() {
  if (in_request_line_) {
    // Some clients send an empty line after a body; it belongs to no request.
    if (line_.empty()) {
      head_bytes_ = 0;
      return;
    }
    in_request_line_ = false;
    take_request_line();
  } else if (line_.empty()) {
    end_head();
  } else {
    take_header_line();
  }
}

void RequestParser::take_request_line() {
  std::string_view line = line_;
  std::string_view method = line.substr(0, line.find(' '));
  std::size_t last_space = line.rfind(' ');
  if (!is_token(method) || last_space <= method.size() || last_space == std::string_view::npos) {
    refuse(400, "the request line is not 'METHOD /path HTTP/1.1'");
    return;
  }
  std::string_view target = line.substr(method.size() + 1, last_space - method.size() - 1);
  std::string_view version = line.substr(last_space + 1);
  if (version.size() != 8 || !version.starts_with("HTTP/") || version[6] != '.') {
    refuse(400, "the request line is not 'METHOD /path HTTP/1.1'");
    return;
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    refuse(505, "HTTP/1.1 and HTTP/1.0 are spoken here");
    return;
  }
  is_http_1_0_ = version == "HTTP/1.0";
  auto known = parse_method(method);
  if (!known) {
    refuse(405, "the method " + std::string(clip_utf8(method, 32)) + " is not served");
    refusal_->headers.push_back({"allow", all_methods()});
    return;
  }
  request_.method = *known;
  take_target(target);
}

void RequestParser::take_target(std::string_view target) {
  bool is_visible = std::all_of(target.begin(), target.end(),
                                [](char c) { return c > ' ' && c < '\x7f' && c != '#'; });
  bool is_asterisk = target == "*" && request_.method == Method::options;
  if (!is_visible || (!target.starts_with('/') && !is_asterisk)) {
    refuse(400, "the request's target is not a path that starts with '/'");
    return;
  }
  std::size_t mark = target.find('?');
  request_.path = target.substr(0, mark);
  if (mark != std::string_view::npos) {
    auto query = parse_query(target.substr(mark + 1));
    if (!query) {
      refuse(400, "the query is not percent-encoded UTF-8 text");
      return;
    }
    request_.query = std::move(*query);
  }
}

void RequestParser::take_header_line() {
  std::string_view line = line_;
  if (line.front() == ' ' || line.front() == '\t') {
    refuse(400, "a header is folded over several lines");
    return;
  }
  std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    refuse(400, "a header line is not 'name: value'");
    return;
  }
  if (request_.headers.size() == limits_.header_count_max) {
    refuse(431,
           "the request has more than " + std::to_string(limits_.header_count_max) + " headers");
    return;
  }
  request_.headers.push_back(
      {std::string(line.substr(0, colon)), std::string(trim(line.substr(colon + 1)))});
}

// The header's value; nothing, and a refusal, if it is there twice.
std::optional<std::string_view> RequestParser::only(std::string_view name) {
  std::optional<std::string_view> value;
  for (const Header& header : request_.headers) {
    if (!equal_ignoring_case(header.name, name)) {
      continue;
    }
    if (value) {
      refuse(400, "the header " + std::string(name) + " is there twice");
      return std::nullopt;
    }
    value = header.value;
  }
  return value;
}

void RequestParser::end_head() {
  if (auto id = request_.header("x-request-id"); id && is_request_id(*id)) {
    request_.id = *id;
  }
  if (!read_host() || !read_framing() || !read_expectation() || !read_connection() ||
      !read_upgrade()) {
    return;
  }
  state_ = is_chunked_ || body_bytes_left_ > 0 ? State::body : State::done;
}

bool RequestParser::read_host() {
  auto host = only("host");
  if (state_ == State::refused) {
    return false;
  }
  if (!host && is_http_1_0_) {
    return true;
  }
  return host && is_host(*host) ? true : refuse(400, "the header host is missing or malformed");
}

bool RequestParser::read_framing() {
  auto coding = only("transfer-encoding");
  auto length = only("content-length");
  if (state_ == State::refused) {
    return false;
  }
  if (coding) {
    if (length || is_http_1_0_ || !equal_ignoring_case(*coding, "chunked")) {
      return refuse(400,
                    "the only transfer-encoding is chunked, in HTTP/1.1 and without "
                    "content-length");
    }
    is_chunked_ = true;
    return true;
  }
  if (!length) {
    return true;
  }
  bool is_number = !length->empty() && std::all_of(length->begin(), length->end(),
                                                   [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number) {
    return refuse(400, "content-length is not a number");
  }
  auto parsed = std::from_chars(length->data(), length->data() + length->size(), body_bytes_left_);
  if (parsed.ec != std::errc()) {
    return refuse(400, "content-length is out of range");
  }
  if (body_bytes_left_ > limits_.body_bytes_max) {
    return refuse(413,
                  "the body is longer than " + std::to_string(limits_.body_bytes_max) + " bytes");
  }
  return true;
}

bool RequestParser::read_expectation() {
  auto expectation = request_.header("expect");
  if (!expectation || is_http_1_0_) {
    return true;
  }
  if (!equal_ignoring_case(*expectation, "100-continue")) {
    return refuse(417, "the only expectation that is met is 100-continue");
  }
  expects_continue_ = true;
  return true;
}

bool RequestParser::read_connection() {
  keeps_alive_ = !is_http_1_0_;
  for (const Header& header : request_.headers) {
    if (equal_ignoring_case(header.name, "connection")) {
      if (lists(header.value, "close")) {
        keeps_alive_ = false;
        return true;
      }
      keeps_alive_ = keeps_alive_ || lists(header.value, "keep-alive");
    }
  }
  return true;
}

// Only a wish for WebSocket is heard; others (h2c) are passed over, as the protocol allows.
bool RequestParser::read_upgrade() {
  auto upgrade = request_.header("upgrade");
  auto connection = request_.header("connection");
  if (!upgrade || !connection || is_http_1_0_ || !lists(*upgrade, "websocket") ||
      !lists(*connection, "upgrade")) {
    return true;
  }
  if (request_.method != Method::get || is_chunked_ || body_bytes_left_ > 0) {
    return refuse(400, "a WebSocket begins with a GET without a body");
  }
  if (auto version = only("sec-websocket-version"); version != "13") {
    refuse(426, "WebSocket is spoken in version 13");
    refusal_->headers.push_back({"sec-websocket-version", "13"});
    return false;
  }
  auto key = only("sec-websocket-key");
  auto nonce = key ? decode_base64(*key) : std::nullopt;
  if (!nonce || nonce->size() != 16) {
    return refuse(400, "sec-websocket-key is not 16 bytes in base64");
  }
  request_.wants_upgrade = true;
  return true;
}

std::size_t RequestParser::feed_body(std::string_view bytes) {
  if (is_chunked_) {
    std::size_t taken = chunked_.feed(bytes, request_.body);
    if (chunked_.state() == ChunkedDecoder::State::done) {
      state_ = State::done;
    } else if (chunked_.state() == ChunkedDecoder::State::malformed) {
      refuse(400, "the body's chunks are malformed");
    } else if (chunked_.state() == ChunkedDecoder::State::too_large) {
      refuse(413, "the body is longer than " + std::to_string(limits_.body_bytes_max) + " bytes");
    }
    return taken;
  }
  std::size_t taken = std::min(bytes.size(), body_bytes_left_);
  request_.body.append(bytes.substr(0, taken));
  body_bytes_left_ -= taken;
  if (body_bytes_left_ == 0) {
    state_ = State::done;
  }
  return taken;
}

}  // namespace capstan
