#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/failure_streak.h"
#include "base/metrics.h"
#include "io/warm_pool.h"
#include "task/runner.h"

namespace capstan {

struct RunnerSettings {
  std::size_t warm = 2;
  CageLimits limits = {};
  // Whether a task has a way out to the network, which it finds as its proxy.
  bool has_exit = false;
};

// Starts runners, and keeps a few ready ahead of being asked for. Owned by App.
class Runners {
 public:
  Runners(Executor executor, Clock& clock, Cage& cage, const NodeRuntime& runtime, Metrics& metrics,
          RunnerSettings settings);

  // Fills the compile cache, and begins to warm up.
  Async<> start();
  // A runner that has loaded everything. Throws unavailable when none can be started.
  Async<std::unique_ptr<Runner>> take() { return pool_.take(); }
  bool has_exit() const { return settings_.has_exit; }
  // Why runners can't be started at the moment, after three failures in a row.
  std::optional<std::string> trouble() const { return failures_.trouble(); }
  std::size_t warm_count() const { return pool_.ready_count(); }
  Async<> close() { return pool_.close(); }

 private:
  Async<std::unique_ptr<Runner>> launch();
  Async<std::unique_ptr<Runner>> start_ready(ChildOrder order);
  ChildOrder order() const;
  Async<> fill_compile_cache();

  Executor executor_;
  Clock& clock_;
  Cage& cage_;
  const NodeRuntime& runtime_;
  const RunnerSettings settings_;
  prometheus::Histogram& start_seconds_;
  FailureStreak failures_;
  WarmPool<Runner> pool_;
};

}  // namespace capstan
