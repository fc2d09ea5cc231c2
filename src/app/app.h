#pragma once

#include <string>

#include "api/routes.h"
#include "app/config.h"
#include "app/data_folder.h"
#include "base/metrics.h"
#include "http/server.h"
#include "task/tasks.h"

namespace capstan {

// The whole server: its parts in order of dependency. Reading the members is reading the program.
class App {
 public:
  // Opens the data folder. Throws what keeps the server from starting.
  App(Executor executor, Config config);

  // Runs until `stop` is set, and then comes to an orderly end: no process is left behind.
  Async<> serve(Event* stop);

 private:
  Async<> start();
  Async<> end_children_at(Event* stop);
  Async<> serve_until(Event* stop, Server* server, std::string host);
  Async<> shut_down(Server* server);
  Async<std::optional<std::string>> first_key();

  Executor executor_;
  const Config config_;

  SystemClock clock_;
  SystemRandom random_;
  const std::string operator_token_;
  Metrics metrics_;
  DataFolder data_;
  Database database_;
  const Sealer sealer_;
  Workers workers_{2};
  WorkFolder work_folder_;
  Cage cage_;
  const Exits exits_;
  Gateways gateways_;

  Teams teams_;
  NodeRuntime runtime_;
  Browsers browsers_;
  Recordings recordings_;
  Recorders recorders_;
  Sessions sessions_;
  Bundler bundler_;
  Tasks tasks_;
  Runners runners_;
  Runs runs_;

  Gate gate_;
  ServerRoutes server_routes_;
  Turns long_answers_;
  TaskRoutes task_routes_;
  RunRoutes run_routes_;
  SessionRoutes session_routes_;
  RecordingRoutes recording_routes_;
  LiveRoutes live_routes_;
  DevToolsRoutes devtools_routes_;
  OperatorRoutes operator_routes_;
};

}  // namespace capstan
