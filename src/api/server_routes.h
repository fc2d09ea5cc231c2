#pragma once

#include <string>

#include "api/call.h"
#include "browser/browsers.h"
#include "cage/cage.h"
#include "task/node_runtime.h"
#include "task/runners.h"
#include "task/runs.h"

namespace capstan {

// What the server tells about itself, to anybody.
class ServerRoutes {
 public:
  ServerRoutes(Cage& cage, Browsers& browsers, Runners& runners, Sessions& sessions, Runs& runs,
               const NodeRuntime& runtime, Metrics& metrics, std::string version)
      : cage_(cage),
        browsers_(browsers),
        runners_(runners),
        sessions_(sessions),
        runs_(runs),
        runtime_(runtime),
        metrics_(metrics),
        version_(std::move(version)) {}

  // From now on the server is not ready: it is about to stop.
  void start_draining() { draining_ = true; }

  Async<Response> health(Call call);
  Async<Response> ready(Call call);
  Async<Response> metrics(Call call);
  Async<Response> openapi(Call call);

 private:
  Cage& cage_;
  Browsers& browsers_;
  Runners& runners_;
  Sessions& sessions_;
  Runs& runs_;
  const NodeRuntime& runtime_;
  Metrics& metrics_;
  const std::string version_;
  bool draining_ = false;
};

}  // namespace capstan
