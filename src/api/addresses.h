#pragma once

#include <string>
#include <string_view>

#include "http/message.h"
#include "session/session.h"

namespace capstan {

// Where to find a session, for the Host that the request came to.

// ws://HOST/?sessionId=ID&token=TOKEN: its DevTools.
std::string devtools_address(const Request& request, const Session& session,
                             std::string_view token);
// http://HOST/live/TOKEN: the page on which a person watches it.
std::string live_view_address(const Request& request, std::string_view token);

}  // namespace capstan
