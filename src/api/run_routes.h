#pragma once

#include "api/call.h"
#include "task/runs.h"

namespace capstan {

// AnchorBrowser's run endpoints and executions of /v1/task, and what we add to them: cancelling,
// logs and Idempotency-Key.
class RunRoutes {
 public:
  RunRoutes(Runs& runs, Clock& clock, const Sealer& sealer)
      : runs_(runs), clock_(clock), sealer_(sealer) {}

  Async<Response> run_by_name(Call call);
  Async<Response> run_by_id(Call call);

  Async<Response> list(Call call);
  Async<Response> retrieve(Call call);
  Async<Response> cancel(Call call);
  Async<Response> logs(Call call);

 private:
  Async<Response> start(StartRun order, bool async);
  Async<> follow(Run run, std::shared_ptr<RunLog> log, BodyWriter* writer);

  Runs& runs_;
  Clock& clock_;
  const Sealer& sealer_;
};

}  // namespace capstan
