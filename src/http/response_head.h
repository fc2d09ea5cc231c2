#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "http/message.h"

namespace capstan {

// The bytes in front of a response's body; no I/O.

// What the connection knows about an answer and the handler doesn't.
struct ResponseFraming {
  std::string request_id;
  WallTime now;
  bool keeps_alive = true;
  bool is_http_1_0 = false;
  // Nothing for a body that is streamed.
  std::optional<std::size_t> body_bytes;
};

// Status line and headers with the empty line behind them. Nothing if a header's name or value
// holds a character that would end it early: such a response must not go out.
std::optional<std::string> response_head(int status, const std::vector<Header>& headers,
                                         const ResponseFraming& framing);

// The words behind a status, which nobody needs: "Not Found".
std::string_view reason_of(int status);

// Whether an answer with this status may have a body at all.
bool has_body(int status);

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string http_date(WallTime time);

// One chunk of a streamed body. An empty text has no chunk: an empty one would be the last.
std::string to_chunk(std::string_view text);
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace capstan
