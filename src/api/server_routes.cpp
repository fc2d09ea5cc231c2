#include "api/server_routes.h"

#include "base/embedded.h"

namespace capstan {

std::vector<EmbeddedFile> embedded_api_document();

namespace {

Response text_response(std::string content_type, std::string text) {
  Response response;
  response.headers = {{"content-type", std::move(content_type)}};
  response.body = std::move(text);
  return response;
}

json::object isolation_of(const Cage& cage, CageKind kind) {
  const Isolation& isolation = cage.isolation(kind);
  json::object limits{{"memory", cage.memory_bound(kind)},
                      {"processes", cage.processes_bound(isolation.level)}};
  return {{"level", to_text(isolation.level)},
          {"reasons", json::value_from(isolation.reasons)},
          {"limits", std::move(limits)}};
}

}  // namespace

Async<Response> ServerRoutes::health(Call) {
  json::object isolation{{"task", isolation_of(cage_, CageKind::task)},
                         {"browser", isolation_of(cage_, CageKind::browser)},
                         {"browser_sandbox", browsers_.own_sandbox()}};
  json::object warm{{"browsers", browsers_.warm_count()}, {"runners", runners_.warm_count()}};
  co_return json_response(200, json::object{
                                   {"status", "ok"},
                                   {"version", version_},
                                   {"chromium", browsers_.version()},
                                   {"isolation", std::move(isolation)},
                                   {"warm", std::move(warm)},
                                   {"sessions", sessions_.open_count()},
                                   {"runs", runs_.running_count()},
                               });
}

Async<Response> ServerRoutes::ready(Call) {
  json::array reasons;
  if (draining_) {
    reasons.emplace_back("the server is shutting down");
  }
  if (auto reason = browsers_.trouble()) {
    reasons.emplace_back("browsers: " + *reason);
  }
  if (std::string reason = runtime_.trouble(); !reason.empty()) {
    reasons.emplace_back("tasks: " + reason);
  }
  if (auto reason = runners_.trouble()) {
    reasons.emplace_back("tasks: " + *reason);
  }
  if (auto reason = runs_.trouble()) {
    reasons.emplace_back("tasks: " + *reason);
  }
  bool ready = reasons.empty();
  co_return json_response(ready ? 200 : 503,
                          json::object{{"ready", ready}, {"reasons", std::move(reasons)}});
}

Async<Response> ServerRoutes::metrics(Call) {
  co_return text_response("text/plain; version=0.0.4", metrics_.text());
}

Async<Response> ServerRoutes::openapi(Call) {
  co_return text_response("application/yaml", std::string(embedded_api_document().front().text));
}

}  // namespace capstan
