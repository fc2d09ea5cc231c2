#pragma once

#include "api/call.h"
#include "browser/browsers.h"
#include "session/sessions.h"
#include "task/runs.h"

namespace capstan {

// How DevTools clients (Playwright, Puppeteer, the official SDK) reach a session.
class DevToolsRoutes {
 public:
  DevToolsRoutes(Sessions& sessions, Runs& runs, Browsers& browsers)
      : sessions_(sessions), runs_(runs), browsers_(browsers) {}

  // The WebSocket of a whole session, or of a session opened for this connection.
  Async<Response> connect(Call call);
  // The WebSocket of one page.
  Async<Response> connect_page(Call call);

  // What Chrome's own HTTP server says at these addresses.
  Async<Response> version(Call call);
  Async<Response> list(Call call);

 private:
  Async<std::shared_ptr<Session>> wanted_session(TeamId team, std::optional<SessionId> id);
  Async<> relay_own_session(SessionOrder order, std::unique_ptr<WebSocket> socket);

  Sessions& sessions_;
  Runs& runs_;
  Browsers& browsers_;
};

}  // namespace capstan
