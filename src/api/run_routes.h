#pragma once

#include "api/call.h"
#include "io/turns.h"
#include "task/runs.h"

namespace capstan {

// AnchorBrowser's run endpoints and executions of /v1/task, and what we add to them: cancelling,
// logs and Idempotency-Key.
class RunRoutes {
 public:
  // `long_answers` are the turns of those who make one.
  RunRoutes(Runs& runs, Clock& clock, const Sealer& sealer, Turns& long_answers)
      : runs_(runs), clock_(clock), sealer_(sealer), long_answers_(long_answers) {}

  Async<Response> run_by_name(Call call);
  Async<Response> run_by_id(Call call);

  Async<Response> list(Call call);
  Async<Response> retrieve(Call call);
  Async<Response> cancel(Call call);
  Async<Response> logs(Call call);

 private:
  Async<Response> start(StartRun order, bool async);
  Async<> follow(RunId id, std::shared_ptr<RunLog> log, BodyWriter* writer);
  Async<std::string> end_event(RunId id);

  Runs& runs_;
  Clock& clock_;
  const Sealer& sealer_;
  Turns& long_answers_;
};

}  // namespace capstan
