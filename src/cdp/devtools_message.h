#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cdp/json_scanner.h"

namespace capstan {

// The members of one DevTools message, as slices of its text: a string still has its quotes, an
// object its braces. A member that is not there is empty.
struct DevToolsMessage {
  std::string_view id;
  std::string_view method;
  std::string_view session_id;
  std::string_view params;
  std::string_view result;
  std::string_view error;

  bool repeats_member = false;      // one of the above stands there twice; the last one counts
  bool has_unknown_member = false;  // something else than the above stands there
  bool is_ascii = true;             // otherwise its UTF-8 has not been checked
};

// How deep a message's values may lie, as in Chromium: a scalar in `params` lies two deep.
inline constexpr std::size_t message_depth_max = JsonScanner::depth_max;

// Finds the members of the JSON object that `text` is. Reads every byte once, builds no tree and
// doesn't recurse. Nothing for what is not exactly one JSON object (RFC 8259) or lies too deep.
std::optional<DevToolsMessage> parse_message(std::string_view text);

// The text that a string slice stands for, its escapes undone; nothing if the slice is not a
// string, or holds half of a surrogate pair.
std::optional<std::string> string_of(std::string_view slice);

// Compares without a copy where there are no escapes.
bool is_string(std::string_view slice, std::string_view text);

// The integer that a number slice stands for, however it is written: 1000, 1000.0, 1e3. Nothing
// if it is none, or none of 32 bits, which is what Chromium takes for an id.
std::optional<std::int32_t> integer_of(std::string_view slice);

}  // namespace capstan
