#pragma once

#include <memory>
#include <string>

#include "io/websocket.h"
#include "session/session.h"

namespace capstan {

// Carries DevTools messages between a client's WebSocket and the session's browser, both ways,
// until one side is done; then it ends the other side politely. The connection counts as a use of
// the session while it lasts. `target` is a page's id for a client that wants to speak to one page
// only, else empty. Whose token is taken back is sent away; `revoked` is null for who came without
// such a token.
Async<> relay_devtools(std::shared_ptr<Session> session, std::string target,
                       std::shared_ptr<Event> revoked, std::unique_ptr<WebSocket> socket);

}  // namespace capstan
