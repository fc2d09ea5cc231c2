#pragma once

#include <memory>
#include <string>

#include "io/websocket.h"
#include "session/live_links.h"
#include "session/session.h"

namespace capstan {

// Serves one who watches the session live, until it leaves, its link is taken back, or the session
// ends. Meanwhile the session is in use. `recording_url` is where that one finds what was recorded.
Async<> relay_live_view(std::shared_ptr<Session> session, LiveRole role,
                        std::shared_ptr<LiveLinks::Presence> presence, std::string recording_url,
                        std::unique_ptr<WebSocket> socket);

}  // namespace capstan
