#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "access/caller.h"
#include "http/server.h"
#include "session/sessions.h"
#include "task/open_run.h"
#include "task/run_table.h"
#include "task/runners.h"

namespace capstan {

// Answers what comes in through the door of the caller's run.
using DoorHandler = std::function<Async<Response>(Request, Caller)>;

// Executes claimed runs: each in a Node process of its own, with a door and a session of its own.
// Owned by Runs.
class Executions {
 public:
  Executions(Executor executor, Clock& clock, Random& random, Runners& runners, Sessions& sessions,
             RunTable& table, Duration run_time_max);

  // Comes before the first execute().
  void set_door_handler(DoorHandler handler) { door_handler_ = std::move(handler); }

  // Executes the run until it has ended, over its time, or stopped through `open`, and returns how
  // it ended. What it prints is in the log of `open`, and mostly in the database.
  Async<RunOutcome> execute(ClaimedRun run, std::shared_ptr<OpenRun> open);

  // The sessions that the run was given or has opened, while they are there.
  std::vector<std::string> session_ids_of(const ClaimedRun& run) const;
  // Ends those that shall not outlive the run.
  void end_sessions(const ClaimedRun& run);

  // Waits until the processes of all that was executed have gone.
  Async<> close() { return scope_.drain(); }

 private:
  Async<RunOutcome> execute_in_runner(ClaimedRun run, std::shared_ptr<OpenRun> open);
  Async<RunOutcome> run_in(Runner* runner, ClaimedRun run, std::shared_ptr<OpenRun> open);
  // The task's own way out; nothing if it has none.
  std::unique_ptr<Gateway> open_gateway(Runner* runner, const ClaimedRun& run);
  Async<> close_runner(std::unique_ptr<Runner> runner);
  Async<> pass_outcome(Async<RunOutcome> work, RunOutcome* outcome);
  Async<> stop_politely(Runner* runner, OpenRun* open);
  Async<> keep_storing_log(RunId id, OpenRun* open);
  Async<> mark_log(Session* session, RunLog* log, std::size_t* marked);
  std::shared_ptr<Session> session_for(const ClaimedRun& run);

  Executor executor_;
  Clock& clock_;
  Random& random_;
  Runners& runners_;
  Sessions& sessions_;
  RunTable& table_;
  const Duration run_time_max_;
  DoorHandler door_handler_;
  Scope scope_;
};

}  // namespace capstan
