#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "io/race.h"
#include "task/execution.h"

namespace capstan {

struct RunLimits {
  std::size_t running_max = 8;
  QueueLimits queue;
  Duration run_time_max = std::chrono::hours(3);
  std::size_t log_bytes_max = std::size_t{1} << 20;
  IsolationLevel isolation_min = IsolationLevel::none;
};

// The front door for runs, and the queue that executes them. A run is accepted by writing its row,
// and from then on belongs to the queue: whoever waits for it may go away. Owned by App.
class Runs {
 public:
  Runs(Executor executor, Clock& clock, Random& random, Database& database, Cage& cage,
       Runners& runners, Sessions& sessions, const Exits& exits, Metrics& metrics,
       RunLimits limits);

  // Fails what a server that died had been running, and begins to work off the queue. Everything
  // that comes in through doors goes to `door_handler`.
  Async<> start(DoorHandler door_handler);

  // Accepts a run: its row is on the disk when this returns. Throws not_found for an unknown task,
  // version or session, unavailable while runs can't be executed, and what RunTable::accept throws.
  Async<Run> accept(StartRun order);
  // Waits until the run has ended, however long that takes; or until this server closes and can
  // do no more for it, and then its status is still queued or running. Without its output.
  Async<Run> wait(RunId id);
  // Returns once the run has ended as cancelled. Throws not_found; conflict when it ended
  // otherwise.
  Async<> cancel(TeamId team, TaskId task, RunId id);

  // Without its output.
  Async<Run> find(TeamId team, TaskId task, RunId id);
  Async<Run> with_output(Run run);
  Async<RunPage> list(TeamId team, TaskId task, RunFilter filter, std::int64_t page,
                      std::int64_t limit);

  // The log of a run that has not ended, to be followed to its end; nothing for one that has.
  Async<std::shared_ptr<RunLog>> open_log(RunId id);
  // The lines of an ended run, as JSON.
  Async<json::array> stored_log(RunId id);

  // The browser configuration that a run was started with, for sessions that its code opens.
  SessionConfig configuration_of(const std::string& run) const;

  std::size_t running_count() const { return running_; }
  bool is_closing() const { return closing_.is_set(); }
  // Why runs can't be executed at the moment.
  std::optional<std::string> trouble() const;

  // Accepts and starts nothing more, and tells those who wait for queued runs; gives what runs
  // until `grace` has passed, then ends it as failed. Waits until no process is left.
  Async<> close(Duration grace);

 private:
  using OpenRuns = std::map<RunId, std::shared_ptr<OpenRun>>;

  std::shared_ptr<OpenRun> open_run(const RunId& id);
  void forget(const RunId& id, const std::shared_ptr<OpenRun>& open);
  void free_slot();
  void begin(RunClaim claim);
  Async<> give_back(RunClaim claim);
  Async<> work_off_queue();
  Async<> live(RunClaim claim);
  Async<bool> store_end(RunClaim claim, RunOutcome outcome, std::vector<std::string> session_ids,
                        OpenRun* open);
  // Until the time has passed or this server closes.
  Async<> pause(Duration duration) { return sleep_or_until(&clock_, duration, &closing_); }

  Executor executor_;
  Clock& clock_;
  Cage& cage_;
  Sessions& sessions_;
  RunTable table_;
  Executions executions_;
  const RunLimits limits_;
  prometheus::Gauge& running_gauge_;
  prometheus::Histogram& run_seconds_;

  std::size_t running_ = 0;    // slots in use
  bool may_be_queued_ = true;  // whether the queue may hold something; then nobody goes ahead of it
  std::string queue_trouble_;  // what keeps the queue from being read; empty if nothing does
  Event closing_;
  Event slot_or_work_;
  OpenRuns open_;
  Scope scope_;
};

}  // namespace capstan
