#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "access/caller.h"
#include "base/metrics.h"
#include "http/server.h"
#include "session/sessions.h"
#include "task/run_table.h"
#include "task/runners.h"

namespace capstan {

struct RunLimits {
  std::size_t running_max = 8;
  QueueLimits queue;
  Duration run_time_max = std::chrono::hours(3);
  std::size_t log_bytes_max = std::size_t{1} << 20;
  IsolationLevel isolation_min = IsolationLevel::none;
};

// Answers what comes in through the door of the caller's run.
using DoorHandler = std::function<Async<Response>(Request, Caller)>;

// The front door for runs, and the queue that executes them. A run is accepted by writing its row,
// and from then on belongs to the queue: whoever waits for it may go away. Owned by App.
class Runs {
 public:
  Runs(Executor executor, Clock& clock, Random& random, Database& database, Cage& cage,
       Runners& runners, Sessions& sessions, Metrics& metrics, RunLimits limits);

  // Fails what a server that died had been running, and begins to work off the queue. Everything
  // that comes in through doors goes to `door_handler`.
  Async<> start(DoorHandler door_handler);

  // Accepts a run: its row is on the disk when this returns. Throws not_found for an unknown task,
  // version or session, and what RunTable::accept throws.
  Async<Run> accept(StartRun order);
  // Waits until the run has ended; however long that takes.
  Async<Run> wait(RunId id);
  // Throws not_found; conflict when the run has ended already.
  Async<> cancel(TeamId team, TaskId task, RunId id);

  Async<Run> find(TeamId team, TaskId task, RunId id);
  Async<RunPage> list(TeamId team, TaskId task, RunFilter filter, std::int64_t page,
                      std::int64_t limit);

  // The log of a run on this server that has not ended, to be followed; else nothing.
  std::shared_ptr<RunLog> open_log(const RunId& id) const;
  // The lines of an ended run, as JSON.
  Async<json::array> stored_log(RunId id);

  // The browser configuration that a run was started with, for sessions that its code opens.
  SessionConfig configuration_of(const std::string& run) const;

  std::size_t running_count() const { return running_; }
  // Why runs can't be executed at the moment.
  std::optional<std::string> trouble() const;

  // Starts nothing more; gives what runs until `grace` has passed, then ends it as failed. Waits
  // until no process is left.
  Async<> close(Duration grace);

 private:
  // What this server knows of a run that has not ended.
  struct OpenRun {
    OpenRun(const Executor& executor, Clock& clock, std::size_t log_bytes_max);
    std::shared_ptr<RunLog> log;
    Event ended;
    Event stop_wanted;
    RunOutcome stop_outcome;  // what the run ends as if it is stopped
    std::size_t log_lines_stored = 0;
    std::int64_t log_pieces_stored = 0;
    SessionConfig configuration;
    std::optional<WallTime> begun_at;
  };
  using OpenRuns = std::map<RunId, std::shared_ptr<OpenRun>>;

  std::shared_ptr<OpenRun> open_run(const RunId& id);
  void begin(const RunId& id);
  Async<> work_off_queue();
  Async<> live(RunId id);
  Async<RunOutcome> execute(ClaimedRun run, std::shared_ptr<OpenRun> open);
  Async<RunOutcome> run_in(Runner* runner, ClaimedRun run, std::shared_ptr<OpenRun> open);
  Async<> close_runner(std::unique_ptr<Runner> runner);
  Async<> pass_outcome(Async<RunOutcome> work, RunOutcome* outcome);
  Async<> stop_politely(Runner* runner, OpenRun* open);
  Async<> keep_storing_log(RunId id, OpenRun* open);
  std::shared_ptr<Session> session_for(const ClaimedRun& run);
  void end_sessions(const ClaimedRun& run);
  std::vector<std::string> session_ids_of(const ClaimedRun& run) const;
  std::string next_log_piece(OpenRun& open);

  Executor executor_;
  Clock& clock_;
  Random& random_;
  Cage& cage_;
  Runners& runners_;
  Sessions& sessions_;
  RunTable table_;
  const RunLimits limits_;
  DoorHandler door_handler_;
  prometheus::Gauge& running_gauge_;
  prometheus::Histogram& run_seconds_;

  std::size_t running_ = 0;    // slots in use
  bool may_be_queued_ = true;  // whether the queue may hold something; then nobody goes ahead of it
  bool closing_ = false;
  Event slot_or_work_;
  OpenRuns open_;
  Scope scope_;
};

}  // namespace capstan
