#include "cdp/answer.h"

#include "cdp/devtools_message.h"

namespace capstan {
namespace {

// Unlike parse_json it takes what lies as deep as a message may.
json::value parse_answer(std::string_view text) {
  json::parse_options options;
  options.max_depth = message_depth_max + 2;
  boost::system::error_code failed;
  json::value value = json::parse(text, failed, {}, options);
  if (failed) {
    throw Error(ErrorCode::internal, "the browser's answer can't be read", failed.message());
  }
  return value;
}

}  // namespace

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
