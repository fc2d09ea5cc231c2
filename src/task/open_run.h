#pragma once

#include <memory>
#include <string>

#include "task/run.h"
#include "task/run_log.h"

namespace capstan {

// What this server knows of a run that has not ended. Shared by the run's life, those who wait for
// its end and those who follow its log; any of them may be the last.
struct OpenRun {
  OpenRun(const Executor& executor, Clock& clock, std::size_t log_bytes_max)
      : log(std::make_shared<RunLog>(executor, clock, log_bytes_max)),
        ended(executor),
        stop_wanted(executor) {}

  // Asks the run to stop; the first wish counts.
  void stop(RunOutcome outcome) {
    if (!stop_wanted.is_set()) {
      stop_outcome = std::move(outcome);
      stop_wanted.set();
    }
  }
  // The lines that are not in the database yet, as a JSON text; empty if there are none.
  std::string unstored_log() const;

  std::shared_ptr<RunLog> log;
  bool is_claimed = false;  // by this server, which brings it to its end
  SessionConfig configuration;
  std::optional<WallTime> begun_at;
  std::size_t log_lines_stored = 0;
  std::int64_t log_pieces_stored = 0;
  Event ended;  // its end is on the disk, or this server can do no more for it
  Event stop_wanted;
  RunOutcome stop_outcome;  // what the run ends as if it is stopped
};

}  // namespace capstan
