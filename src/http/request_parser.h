#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/chunked_decoder.h"
#include "http/message.h"
#include "http/server_limits.h"

namespace capstan {

// Why a request is not served. The connection sends it as an answer and closes: where the next
// request would begin is anybody's guess.
struct Refusal {
  int status;
  std::string message;
  std::vector<Header> headers = {};
};

// Reads one HTTP/1.1 or 1.0 request from bytes as they come (RFC 9112); no I/O. It takes the
// strict reading everywhere, because a lenient one is how requests are smuggled past a proxy: one
// Content-Length or Transfer-Encoding, CRLF line ends, one Host, no folded lines. What comes out
// doesn't depend on how the bytes were cut.
class RequestParser {
 public:
  // `limits` outlives the parser.
  explicit RequestParser(const ServerLimits& limits)
      : limits_(limits), chunked_(limits.body_bytes_max) {}

  // Takes bytes until the head, or the whole request, is complete or refused, and returns how many
  // they were; the rest belongs to what follows. Called again after the head, it goes on with the
  // body.
  std::size_t feed(std::string_view bytes);

  enum class State { head, body, done, refused };
  State state() const { return state_; }
  // Whether a byte of the request has come.
  bool has_begun() const { return head_bytes_ > 0; }
  // What to answer if the rest doesn't come in time, or not at all.
  Refusal too_slow() const;
  Refusal cut_short() const;

  const Refusal& refusal() const { return *refusal_; }
  // The client's own x-request-id, if there is one that may stand in a log.
  const std::string& request_id() const { return request_.id; }

  // Known once the head is complete.
  bool expects_continue() const { return expects_continue_; }
  bool keeps_alive() const { return keeps_alive_; }
  bool is_http_1_0() const { return is_http_1_0_; }

  // Of the body, so far.
  std::size_t body_bytes() const { return request_.body.size(); }

  // The request, without `remote` and maybe without `id`; once, when done.
  Request take() { return std::move(request_); }

 private:
  std::size_t feed_head(std::string_view bytes);
  std::size_t feed_body(std::string_view bytes);
  void take_line();
  void take_request_line();
  void take_target(std::string_view target);
  void take_header_line();
  void end_head();
  bool read_host();
  bool read_framing();
  bool read_expectation();
  bool read_connection();
  bool read_upgrade();
  std::optional<std::string_view> only(std::string_view name);
  bool refuse(int status, std::string message);

  const ServerLimits& limits_;
  State state_ = State::head;
  std::optional<Refusal> refusal_;
  Request request_;

  // The head.
  std::string line_;
  std::size_t head_bytes_ = 0;
  bool in_request_line_ = true;
  bool is_http_1_0_ = false;
  bool keeps_alive_ = true;
  bool expects_continue_ = false;

  // The body: chunked, or so many bytes.
  bool is_chunked_ = false;
  std::size_t body_bytes_left_ = 0;
  ChunkedDecoder chunked_;
};

}  // namespace capstan
