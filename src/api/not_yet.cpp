#include "api/not_yet.h"

namespace capstan {
namespace {

struct Operation {
  Method method;
  const char* pattern;
};

constexpr Operation operations[] = {
    {Method::get, "/v1/sessions"},
    {Method::get, "/v1/sessions/history"},
    {Method::post, "/v1/sessions/async"},
    {Method::get, "/v1/sessions/async/{requestId}/status"},
    {Method::get, "/v1/sessions/pending-interventions"},
    {Method::get, "/v1/sessions/{sessionId}/screenshot"},
    {Method::post, "/v1/sessions/{sessionId}/goto"},
    {Method::post, "/v1/sessions/{sessionId}/mouse/{action}"},
    {Method::post, "/v1/sessions/{sessionId}/drag-and-drop"},
    {Method::post, "/v1/sessions/{sessionId}/scroll"},
    {Method::post, "/v1/sessions/{sessionId}/keyboard/{action}"},
    {Method::get, "/v1/sessions/{sessionId}/clipboard"},
    {Method::post, "/v1/sessions/{sessionId}/clipboard"},
    {Method::post, "/v1/sessions/{sessionId}/copy"},
    {Method::post, "/v1/sessions/{sessionId}/paste"},
    {Method::post, "/v1/sessions/{sessionId}/uploads"},
    {Method::get, "/v1/sessions/{sessionId}/downloads"},
    {Method::get, "/v1/sessions/{sessionId}/downloads/{downloadId}/fetch"},
    {Method::post, "/v1/sessions/{sessionId}/agent/{action}"},
    {Method::get, "/v1/sessions/{sessionId}/agent/{action}"},
    {Method::get, "/v1/sessions/{sessionId}/tags"},
    {Method::put, "/v1/sessions/{sessionId}/tags"},
    {Method::del, "/v1/sessions/{sessionId}/tags"},
    {Method::post, "/v1/sessions/{sessionId}/context/reset"},
    {Method::post, "/v1/profiles"},
    {Method::get, "/v1/profiles"},
    {Method::get, "/v1/profiles/{name}"},
    {Method::put, "/v1/profiles/{name}"},
    {Method::del, "/v1/profiles/{name}"},
    {Method::post, "/v1/tools/screenshot"},
    {Method::post, "/v1/tools/fetch-webpage"},
    {Method::post, "/v1/tools/fetch/webpage"},
    {Method::post, "/v1/tools/page-pdf"},
    {Method::post, "/v1/tools/perform-web-task"},
    {Method::get, "/v1/tools/perform-web-task/{workflowId}/status"},
    {Method::post, "/v1/tools/execute-code"},
    {Method::get, "/v1/tools/{toolId}"},
    {Method::post, "/v1/extensions"},
    {Method::get, "/v1/extensions"},
    {Method::get, "/v1/extensions/{id}"},
    {Method::del, "/v1/extensions/{id}"},
    {Method::post, "/v1/certificates"},
    {Method::get, "/v1/certificates"},
    {Method::del, "/v1/certificates/{name}"},
    {Method::post, "/v1/integrations"},
    {Method::get, "/v1/integrations"},
    {Method::del, "/v1/integrations/{id}"},
    {Method::post, "/v1/events/{name}"},
    {Method::post, "/v1/events/{name}/wait"},
    {Method::post, "/v1/batch-sessions"},
    {Method::get, "/v1/batch-sessions"},
    {Method::get, "/v1/batch-sessions/{id}"},
    {Method::patch, "/v1/batch-sessions/{id}"},
    {Method::del, "/v1/batch-sessions/{id}"},
    {Method::post, "/v1/batch-sessions/{id}/retry"},
    {Method::post, "/v1/applications"},
    {Method::get, "/v1/applications"},
    {Method::get, "/v1/applications/{id}"},
    {Method::del, "/v1/applications/{id}"},
    {Method::get, "/v1/applications/{id}/identities"},
    {Method::get, "/v1/applications/{id}/auth-flows"},
    {Method::post, "/v1/applications/{id}/auth-flows"},
    {Method::patch, "/v1/applications/{id}/auth-flows/{flowId}"},
    {Method::del, "/v1/applications/{id}/auth-flows/{flowId}"},
    {Method::post, "/v1/applications/{id}/tokens"},
    {Method::post, "/v1/identities"},
    {Method::get, "/v1/identities/{id}"},
    {Method::put, "/v1/identities/{id}"},
    {Method::del, "/v1/identities/{id}"},
    {Method::get, "/v1/identities/{id}/credentials"},
    {Method::post, "/v1/identities/{id}/reauthenticate"},
    {Method::get, "/v1/billing"},
    {Method::post, "/v1/webhooks"},
    {Method::get, "/v1/webhooks"},
    {Method::post, "/v2/tasks/{taskId}/run"},
    {Method::get, "/v2/tasks/runs/{runId}/status"},
    {Method::post, "/v2/tasks/generate"},
    {Method::get, "/v2/tasks/{taskId}/generation-status"},
    {Method::get, "/v2/tasks/{taskId}/versions"},
    {Method::post, "/v2/tasks/{toolId}/publish-draft"},
};

Async<Response> answer_not_yet(Call) {
  co_return error_response(501, "this server can't do that yet");
}

}  // namespace

std::vector<RouteRow> not_yet_rows() {
  std::vector<RouteRow> rows;
  for (const Operation& operation : operations) {
    rows.push_back({operation.method, operation.pattern, Access::api_key, answer_not_yet});
  }
  return rows;
}

}  // namespace capstan
