#include "api/routes.h"

namespace capstan {
namespace {

template <class Class>
RouteHandler on(Class& routes, Async<Response> (Class::*member)(Call)) {
  return [&routes, member](Call call) { return (routes.*member)(std::move(call)); };
}

}  // namespace

std::vector<RouteRow> route_rows(const Routes& routes) {
  ServerRoutes& server = routes.server;
  TaskRoutes& tasks = routes.tasks;
  RunRoutes& runs = routes.runs;
  SessionRoutes& sessions = routes.sessions;
  RecordingRoutes& recordings = routes.recordings;
  LiveRoutes& live = routes.live;
  DevToolsRoutes& devtools = routes.devtools;
  OperatorRoutes& operators = routes.operators;
  using enum Access;
  return {
      {Method::get, "/health", anybody, on(server, &ServerRoutes::health)},
      {Method::get, "/ready", anybody, on(server, &ServerRoutes::ready)},
      {Method::get, "/metrics", anybody, on(server, &ServerRoutes::metrics)},
      {Method::get, "/openapi.yaml", anybody, on(server, &ServerRoutes::openapi)},

      {Method::post, "/v1/task", api_key, on(tasks, &TaskRoutes::create)},
      {Method::get, "/v1/task", api_key, on(tasks, &TaskRoutes::list)},
      {Method::post, "/v1/task/run", api_key, on(runs, &RunRoutes::run_by_id)},
      {Method::post, "/v1/task/run/{taskName}", api_key, on(runs, &RunRoutes::run_by_name)},
      {Method::get, "/v1/task/{taskId}", api_key, on(tasks, &TaskRoutes::retrieve)},
      {Method::put, "/v1/task/{taskId}", api_key, on(tasks, &TaskRoutes::update)},
      {Method::del, "/v1/task/{taskId}", api_key, on(tasks, &TaskRoutes::remove)},
      {Method::get, "/v1/task/{taskId}/versions", api_key, on(tasks, &TaskRoutes::versions)},
      {Method::get, "/v1/task/{taskId}/latest", api_key, on(tasks, &TaskRoutes::latest)},
      {Method::get, "/v1/task/{taskId}/draft", api_key, on(tasks, &TaskRoutes::draft)},
      {Method::post, "/v1/task/{taskId}/draft", api_key, on(tasks, &TaskRoutes::write_draft)},
      {Method::post, "/v1/task/{taskId}/deploy", api_key, on(tasks, &TaskRoutes::deploy)},
      {Method::get, "/v1/task/{taskId}/executions", api_key, on(runs, &RunRoutes::list)},
      {Method::get, "/v1/task/{taskId}/executions/{executionId}", api_key,
       on(runs, &RunRoutes::retrieve)},
      {Method::post, "/v1/task/{taskId}/executions/{executionId}/cancel", api_key,
       on(runs, &RunRoutes::cancel)},
      {Method::get, "/v1/task/{taskId}/executions/{executionId}/logs", api_key,
       on(runs, &RunRoutes::logs)},
      {Method::get, "/v1/task/{taskId}/{taskVersion}", api_key, on(tasks, &TaskRoutes::version)},
      {Method::post, "/v1/task/{taskId}/{taskVersion}", api_key, on(tasks, &TaskRoutes::publish)},
      {Method::del, "/v1/task/{taskId}/{taskVersion}", api_key,
       on(tasks, &TaskRoutes::remove_version)},

      {Method::post, "/v1/sessions", api_key, on(sessions, &SessionRoutes::create)},
      {Method::get, "/v1/sessions/all/status", api_key, on(sessions, &SessionRoutes::all_status)},
      {Method::del, "/v1/sessions/all", api_key, on(sessions, &SessionRoutes::end_all)},
      {Method::get, "/v1/sessions/{sessionId}", api_key, on(sessions, &SessionRoutes::retrieve)},
      {Method::del, "/v1/sessions/{sessionId}", api_key, on(sessions, &SessionRoutes::end)},
      {Method::get, "/v1/sessions/{sessionId}/pages", api_key, on(sessions, &SessionRoutes::pages)},

      {Method::post, "/v1/sessions/{sessionId}/recordings/pause", api_key,
       on(recordings, &RecordingRoutes::pause)},
      {Method::post, "/v1/sessions/{sessionId}/recordings/resume", api_key,
       on(recordings, &RecordingRoutes::resume)},
      {Method::get, "/v1/sessions/{sessionId}/recordings", api_key,
       on(recordings, &RecordingRoutes::list)},
      {Method::get, "/v1/sessions/{sessionId}/recordings/primary/fetch", api_key,
       on(recordings, &RecordingRoutes::fetch_primary)},
      {Method::get, "/v1/sessions/{sessionId}/recordings/{recordingId}/fetch", api_key,
       on(recordings, &RecordingRoutes::fetch)},
      {Method::get, "/v1/sessions/{sessionId}/recordings/{recordingId}/timeline", api_key,
       on(recordings, &RecordingRoutes::timeline)},
      {Method::del, "/v1/sessions/{sessionId}/recordings/{recordingId}", api_key,
       on(recordings, &RecordingRoutes::remove)},

      {Method::get, "/v1/sessions/{sessionId}/thumbnail", api_key,
       on(live, &LiveRoutes::thumbnail)},
      {Method::post, "/v1/sessions/{sessionId}/tokens", api_key,
       on(live, &LiveRoutes::create_token)},
      {Method::del, "/v1/sessions/{sessionId}/tokens/{token}", api_key,
       on(live, &LiveRoutes::revoke_token)},
      {Method::get, "/live/{token}", anybody, on(live, &LiveRoutes::page)},
      {Method::post, "/live/{token}/claim", anybody, on(live, &LiveRoutes::claim)},
      {Method::get, "/live/{token}/socket", anybody, on(live, &LiveRoutes::connect)},
      {Method::post, "/live/{token}/files", anybody, on(live, &LiveRoutes::send_file)},
      {Method::get, "/live/{token}/recording", anybody,
       on(recordings, &RecordingRoutes::fetch_by_link)},
      {Method::get, "/live-assets/{name}", anybody, on(live, &LiveRoutes::asset)},

      {Method::get, "/", session_key, on(devtools, &DevToolsRoutes::connect)},
      {Method::get, "/devtools/browser", session_key, on(devtools, &DevToolsRoutes::connect)},
      {Method::get, "/devtools/browser/{browserId}", session_key,
       on(devtools, &DevToolsRoutes::connect)},
      {Method::get, "/devtools/page/{targetId}", session_key,
       on(devtools, &DevToolsRoutes::connect_page)},
      {Method::get, "/json/version", session_key, on(devtools, &DevToolsRoutes::version)},
      {Method::get, "/json/list", session_key, on(devtools, &DevToolsRoutes::list)},

      {Method::post, "/operator/keys", operator_token, on(operators, &OperatorRoutes::create_key)},
      {Method::get, "/operator/keys", operator_token, on(operators, &OperatorRoutes::keys)},
      {Method::del, "/operator/keys/{keyId}", operator_token,
       on(operators, &OperatorRoutes::revoke_key)},
  };
}

}  // namespace capstan
