#pragma once

#include "api/call.h"
#include "task/run.h"

namespace capstan {

struct RunRequest {
  StartRun order;
  bool async = false;
};

// Reads the body of the two run endpoints (RunTaskByNameRequest in the contract, and the same with
// taskId). Throws invalid_argument that names every bad field.
RunRequest read_run_by_name(const Call& call, const Sealer& sealer);
RunRequest read_run_by_id(const Call& call, const Sealer& sealer);

}  // namespace capstan
