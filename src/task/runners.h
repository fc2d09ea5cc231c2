#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/failure_streak.h"
#include "base/metrics.h"
#include "io/warm_pool.h"
#include "io/work_folder.h"
#include "task/runner.h"

namespace capstan {

// Starts runners, and keeps a few ready ahead of being asked for. Owned by App.
class Runners {
 public:
  Runners(Executor executor, Clock& clock, Cage& cage, WorkFolder& work_folder,
          const NodeRuntime& runtime, Metrics& metrics, std::size_t warm);

  void start() { pool_.start_refill(); }
  // A runner that has loaded everything. Throws unavailable when none can be started.
  Async<std::unique_ptr<Runner>> take() { return pool_.take(); }
  // Why runners can't be started at the moment, after three failures in a row.
  std::optional<std::string> trouble() const { return failures_.trouble(); }
  std::size_t warm_count() const { return pool_.ready_count(); }
  Async<> close() { return pool_.close(); }

 private:
  Async<std::unique_ptr<Runner>> launch();
  Async<std::unique_ptr<Runner>> start_ready();

  Executor executor_;
  Clock& clock_;
  Cage& cage_;
  WorkFolder& work_folder_;
  const NodeRuntime& runtime_;
  prometheus::Histogram& start_seconds_;
  FailureStreak failures_;
  WarmPool<Runner> pool_;
};

}  // namespace capstan
