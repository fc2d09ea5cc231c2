#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "io/clock.h"
#include "store/database.h"
#include "task/run.h"

namespace capstan {

struct QueueLimits {
  std::int64_t queued_max = 1000;
  std::int64_t queued_per_team_max = 200;
};

struct AcceptedRun {
  Run run;
  bool is_new = true;  // false: an earlier run that the idempotency key stands for
};

// The right to bring a run to its end: who claims it anew makes older claims void.
struct RunClaim {
  RunId id;
  std::int64_t attempt;
};

// A claimed run, with all that is needed to execute it.
struct ClaimedRun {
  Run run;
  std::string task_name;
  std::string bundle;
  RunSettings settings;
};

struct RunFilter {
  std::optional<RunStatus> status;
  std::optional<std::string> version;
};

struct RunPage {
  std::vector<Run> runs;
  std::int64_t total = 0;
};

// The rows of runs: the truth about them. A run's row is on the disk before anybody is told of it,
// and every write after its claim carries the attempt, so that a late one changes nothing.
class RunTable {
 public:
  RunTable(Database& database, Clock& clock, Random& random, const Exits& exits,
           QueueLimits limits);

  // Resolves task and version and inserts the run: as running when `claim` is set, because the
  // caller has a slot for it, else as queued. Throws not_found for an unknown task or version,
  // resource_exhausted or unavailable when the queue is full, unprocessable for an idempotency key
  // that came with another request before, invalid_argument for a configuration, put together from
  // all its parts, that check_session_config refuses.
  Async<AcceptedRun> accept(StartRun order, bool claim);
  // Throws not_found when the run is not running.
  Async<ClaimedRun> load(RunId id);
  // The queued run whose turn it is: of the team with the fewest running ones, the oldest.
  Async<std::optional<RunClaim>> claim_next();
  // Puts a claimed run, whose code was not begun, back into the queue.
  Async<> give_back(RunClaim claim);

  // Ends the run if the claim still holds; false if not. Its inputs are erased with it. `log_lines`
  // are those that append_log() has not stored, as JSON text; empty if there are none.
  Async<bool> finish(RunClaim claim, RunOutcome outcome, std::vector<std::string> session_ids,
                     std::string log_lines);
  // Ends a run that has not begun; false if it has.
  Async<bool> cancel_queued(RunId id);
  // Ends as failed what a server that died had been running.
  Async<std::int64_t> fail_interrupted(std::string reason);

  // Without its output. Throws not_found.
  Async<Run> find(TeamId team, TaskId task, RunId id);
  Async<Run> find(RunId id);
  // The run with its output, if it has one.
  Async<Run> with_output(Run run);
  // Newest first; runs of drafts are not listed. Errors and outputs have listed_text_bytes_max
  // together, but the first output is always there; from the first that has no room, all are left
  // out. Throws not_found for an unknown task.
  Async<RunPage> list(TeamId team, TaskId task, RunFilter filter, std::int64_t page,
                      std::int64_t limit);
  // The stored log, as JSON texts of lines.
  Async<std::vector<std::string>> log_pieces(RunId id);
  Async<> append_log(RunId id, std::int64_t piece, std::string lines);

 private:
  Database& database_;
  Clock& clock_;
  Random& random_;
  const Exits& exits_;  // they never change, so the database's thread may look at them
  const QueueLimits limits_;
};

}  // namespace capstan
