#pragma once

#include <vector>

#include "api/devtools_routes.h"
#include "api/gate.h"
#include "api/live_routes.h"
#include "api/operator_routes.h"
#include "api/recording_routes.h"
#include "api/run_routes.h"
#include "api/server_routes.h"
#include "api/session_routes.h"
#include "api/task_routes.h"

namespace capstan {

// The route classes, which live as long as the gate.
struct Routes {
  ServerRoutes& server;
  TaskRoutes& tasks;
  RunRoutes& runs;
  SessionRoutes& sessions;
  RecordingRoutes& recordings;
  LiveRoutes& live;
  DevToolsRoutes& devtools;
  OperatorRoutes& operators;
};

// The whole surface on one page; what is not built yet is in not_yet.h.
std::vector<RouteRow> route_rows(const Routes& routes);

}  // namespace capstan
