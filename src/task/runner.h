#pragma once

#include <memory>
#include <string>

#include "io/line_reader.h"
#include "io/scope.h"
#include "task/node_runtime.h"
#include "task/run.h"
#include "task/run_log.h"

namespace capstan {

// What a runner needs to execute one run (runner/src/frames.ts).
struct RunnerOrder {
  std::string task_name;
  std::string bundle;
  std::map<std::string, std::string> environment;
  std::map<std::string, std::string> inputs;
  std::string session_id;
  std::string execution_id;
};

// Our ends of a runner's control socket and output pipes.
struct RunnerStreams {
  Fd control;
  Fd out;
  Fd err;
};

// The handle on the Node process of one run. It is started ahead, has then loaded everything that
// tasks may import, and runs one task, once. Its owner awaits close().
class Runner {
 public:
  // What the child may have, to be named when it meets the end of it.
  struct Bounds {
    CageLimits limits;
    bool has_network = false;
  };
  Runner(Executor executor, Clock& clock, std::unique_ptr<Child> child, Bounds bounds,
         RunnerStreams streams);

  // Waits until it has loaded everything. Throws when it ends instead.
  Async<> become_ready();
  bool is_gone() const { return child_->exit_status().has_value(); }

  // The way from the task to us, and its way out, where it was given one; each once.
  Door take_door() { return child_->take_door(0); }
  Door take_exit() { return child_->take_door(1); }

  // Runs the task to its end and returns what came of it; what it prints goes to `log`. Takes as
  // long as the task does; cancelling leaves the process to close().
  Async<RunOutcome> run(RunnerOrder order, std::shared_ptr<RunLog> log);
  // Tells the task, once it has its order, that it had better stop: its signal is aborted.
  Async<> request_cancel();

  // Ends the process and what it has started, and waits until it has gone.
  Async<> close();

 private:
  Async<> pump(LogStream which, Stream* stream);
  void drain();
  Async<RunOutcome> outcome_of_end();
  std::string notes_on(const std::string& error) const;

  Clock& clock_;
  std::unique_ptr<Child> child_;
  const Bounds bounds_;
  Stream control_;
  Stream out_;
  Stream err_;
  LineReader frames_;
  Event order_sent_;
  std::shared_ptr<RunLog> log_;
  Scope scope_;
};

}  // namespace capstan
