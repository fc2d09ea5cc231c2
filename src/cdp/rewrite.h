#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cdp/devtools_message.h"

namespace capstan {

// The texts that the router writes. Ids and methods are slices of JSON, session ids plain text
// that needs no escaping; an empty one is left out.

// A party's command as the browser gets it. It is built anew, so that there is no doubt which id
// and session it names, whatever the party's text looks like.
std::string command_text(std::int32_t id, std::string_view session_id,
                         const DevToolsMessage& command);

// Makes the browser's text a party's: its own id again, if there is one, and without the session
// if that is to be hidden. `message` is what was found in `text`, and of no more use after this.
void put_back(std::string& text, const DevToolsMessage& message, std::string_view original_id,
              bool hides_session);

// Answers of our own. `error` is the inside of the error object.
std::string error_text(std::string_view id, std::string_view error,
                       std::string_view session_id = {});
std::string empty_result_text(std::string_view id, std::string_view session_id);

}  // namespace capstan
