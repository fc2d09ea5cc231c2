#pragma once

#include "api/call.h"
#include "io/turns.h"
#include "task/tasks.h"

namespace capstan {

// AnchorBrowser's /v1/task: tasks and their versions.
class TaskRoutes {
 public:
  TaskRoutes(Tasks& tasks, const Sealer& sealer, Turns& long_answers)
      : tasks_(tasks), sealer_(sealer), long_answers_(long_answers) {}

  Async<Response> create(Call call);
  Async<Response> list(Call call);
  Async<Response> retrieve(Call call);
  Async<Response> update(Call call);
  Async<Response> remove(Call call);

  Async<Response> versions(Call call);
  Async<Response> latest(Call call);
  Async<Response> draft(Call call);
  Async<Response> write_draft(Call call);
  Async<Response> deploy(Call call);
  Async<Response> version(Call call);
  Async<Response> publish(Call call);
  Async<Response> remove_version(Call call);

 private:
  Async<Response> one_version(Call call, VersionSelector which);

  Tasks& tasks_;
  const Sealer& sealer_;
  Turns& long_answers_;
};

// A task's name as the contract has it: ^[a-zA-Z0-9_-]+$, 1 to 255 characters.
bool is_task_name(std::string_view text);

}  // namespace capstan
