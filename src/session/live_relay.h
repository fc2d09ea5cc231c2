#pragma once

#include <memory>

#include "io/websocket.h"
#include "session/live_links.h"
#include "session/session.h"

namespace capstan {

// Serves one who watches the session live, until it leaves or the session ends. Meanwhile the
// session is in use.
Async<> relay_live_view(std::shared_ptr<Session> session, LiveRole role,
                        std::shared_ptr<LiveLinks::Presence> presence,
                        std::unique_ptr<WebSocket> socket);

}  // namespace capstan
