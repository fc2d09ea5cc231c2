#pragma once

#include "api/call.h"
#include "session/sessions.h"
#include "task/runs.h"

namespace capstan {

// AnchorBrowser's /v1/sessions.
class SessionRoutes {
 public:
  SessionRoutes(Sessions& sessions, Runs& runs, Clock& clock, const Sealer& sealer)
      : sessions_(sessions), runs_(runs), clock_(clock), sealer_(sealer) {}

  Async<Response> create(Call call);
  Async<Response> retrieve(Call call);
  Async<Response> end(Call call);
  Async<Response> end_all(Call call);
  Async<Response> all_status(Call call);
  Async<Response> pages(Call call);

 private:
  Sessions& sessions_;
  Runs& runs_;
  Clock& clock_;
  const Sealer& sealer_;
};

// The order that a caller's configuration makes: one from inside a run starts from that run's
// browser configuration, and belongs to the run.
SessionOrder make_session_order(const Caller& caller, const SessionConfig& own,
                                const Sessions& sessions, const Runs& runs);

}  // namespace capstan
