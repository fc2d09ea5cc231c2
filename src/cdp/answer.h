#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace capstan {

// A whole message, of any kind. Text of a page may hold half of a surrogate pair, which JSON can
// say and UTF-8 can't: U+FFFD stands for it. Nothing for what can't be read.
std::optional<json::object> read_browsers_message(std::string text);

// Reading the answers to our own commands. `answer` is a whole message, `method` what was asked.

// What the browser refused the command with, if it did: invalid_argument for what can't be done as
// asked, not_found for a session that has gone, else internal.
std::optional<Error> refusal_in(std::string_view answer, std::string_view method);

// Throws the refusal, or internal when there is no result that is an object.
json::object result_in(std::string_view answer, std::string_view method);

// The session that a command attached.
std::optional<std::string> attached_session_in(std::string_view answer);

// What comes instead of an answer once the pipe has ended.
Error browser_has_gone();

}  // namespace capstan
