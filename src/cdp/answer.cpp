#include "cdp/answer.h"

#include <charconv>

#include "cdp/devtools_message.h"

namespace capstan {
namespace {

// Unlike parse_json it takes what lies as deep as a message may.
json::value parse_deep(std::string_view text, boost::system::error_code& failed) {
  json::parse_options options;
  options.max_depth = message_depth_max + 2;
  return json::parse(text, failed, {}, options);
}

json::value parse_answer(std::string_view text) {
  boost::system::error_code failed;
  json::value value = parse_deep(text, failed);
  if (failed) {
    throw Error(ErrorCode::internal, "the browser's answer can't be read", failed.message());
  }
  return value;
}

// The code unit of an escape like \ud83d at `at`; nothing if there is none.
std::optional<unsigned> escaped_unit(std::string_view text, std::size_t at) {
  unsigned unit = 0;
  if (text.substr(at, 2) != "\\u" || text.size() < at + 6) {
    return std::nullopt;
  }
  auto read = std::from_chars(text.data() + at + 2, text.data() + at + 6, unit, 16);
  return read.ptr == text.data() + at + 6 ? std::optional(unit) : std::nullopt;
}

// Of what Chromium writes, which escapes everything that is not ASCII.
void replace_half_pairs(std::string& text) {
  for (std::size_t at = text.find('\\'); at < text.size(); at = text.find('\\', at)) {
    unsigned unit = escaped_unit(text, at).value_or(0);
    bool is_high = unit >= 0xd800 && unit < 0xdc00;
    unsigned next = is_high ? escaped_unit(text, at + 6).value_or(0) : 0;
    bool is_pair = next >= 0xdc00 && next < 0xe000;
    if (unit >= 0xd800 && unit < 0xe000 && !is_pair) {
      text.replace(at, 6, "\\ufffd");
    }
    at += is_pair ? 12 : 2;
  }
}

}  // namespace

std::optional<json::object> read_browsers_message(std::string text) {
  boost::system::error_code failed;
  json::value message = parse_deep(text, failed);
  if (failed) {
    replace_half_pairs(text);
    failed.clear();
    message = parse_deep(text, failed);
  }
  return !failed && message.is_object() ? std::optional(std::move(message.get_object()))
                                        : std::nullopt;
}

std::optional<Error> refusal_in(std::string_view answer, std::string_view method) {
  std::optional<DevToolsMessage> message = parse_message(answer);
  if (!message || message->error.empty()) {
    return std::nullopt;
  }
  json::value error = parse_answer(message->error);
  const json::object* members = error.if_object();
  const json::value* code = members ? members->if_contains("code") : nullptr;
  std::optional<std::string> reason = members ? text_at(*members, "message") : std::nullopt;
  std::string text(method);
  text += ": ";
  text += reason.value_or("failed");
  switch (code && code->is_int64() ? code->get_int64() : 0) {
    case -32000:  // not possible now
    case -32602:  // wrong parameters
      return Error(ErrorCode::invalid_argument, std::move(text));
    case -32001:
      return Error(ErrorCode::not_found, std::move(text));
    default:
      return Error(ErrorCode::internal, std::move(text));
  }
}

json::object result_in(std::string_view answer, std::string_view method) {
  if (auto refused = refusal_in(answer, method)) {
    throw *refused;
  }
  std::optional<DevToolsMessage> message = parse_message(answer);
  json::value result = parse_answer(message ? message->result : "");
  if (!result.is_object()) {
    throw Error(ErrorCode::internal, std::string(method) + ": the browser's result is no object");
  }
  return std::move(result.get_object());
}

std::optional<std::string> attached_session_in(std::string_view answer) {
  std::optional<DevToolsMessage> message = parse_message(answer);
  std::optional<DevToolsMessage> result = message ? parse_message(message->result) : std::nullopt;
  return result ? string_of(result->session_id) : std::nullopt;
}

Error browser_has_gone() { return Error(ErrorCode::unavailable, "the browser has gone"); }

}  // namespace capstan
