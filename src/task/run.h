#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "session/session_config.h"
#include "session/session_table.h"
#include "task/task_table.h"

namespace capstan {

using RunId = Id<struct RunTag>;

// How a run stands. `queued` and `running` change; an end state never does.
enum class RunStatus { queued, running, success, failure, timeout, cancelled };

std::string_view to_text(RunStatus status);
std::optional<RunStatus> parse_run_status(std::string_view text);
inline bool is_ended(RunStatus status) {
  return status != RunStatus::queued && status != RunStatus::running;
}

// What the caller wants the run to have; kept with its row while it is open.
struct RunSettings {
  std::map<std::string, std::string> inputs;
  std::optional<SessionId> session;     // one that the caller has open already
  SessionConfig browser_configuration;  // the override laid over the version's
  bool end_opened_sessions = true;      // cleanupSessions
  bool end_given_session = false;       // cleanupSessions: true, written by the caller
};

// As a row has them, and back.
json::object to_json(const RunSettings& settings);
RunSettings run_settings_from(const json::object& object);

// An order to run a task.
struct StartRun {
  TeamId team;
  std::variant<TaskId, std::string> task;  // by id, or by name
  VersionSelector version;
  RunSettings settings;  // its browser_configuration is the override alone
  // Given with an Idempotency-Key: the same key means the same run.
  std::optional<std::string> idempotency_key;
  std::string request_hash;
  // Why the session in the settings can't be used; then only an earlier run can be answered.
  std::optional<std::string> session_trouble = {};
};

// One execution of a task's version.
struct Run {
  RunId id;
  TeamId team;
  TaskId task;
  TaskVersionId task_version;
  std::string version;
  RunStatus status;
  std::int64_t attempt;
  std::optional<std::string> output;
  bool output_left_out = false;  // it has one, which was not read with it
  std::optional<std::string> error;
  bool server_failed;  // RunOutcome's
  std::vector<std::string> session_ids;
  WallTime accepted_at;
  std::optional<WallTime> started_at;
  std::optional<WallTime> finished_at;
};

// How a run ended: what it returned, or why not.
struct RunOutcome {
  RunStatus status = RunStatus::failure;
  std::optional<std::string> output = {};  // JSON text; nothing if the task returned nothing
  std::optional<std::string> error = {};
  // The failure is the server's own, and not one of the task's code.
  bool server_failed = false;
  // When the task's code was begun; nothing if it never was. Waiting for a process is no run time.
  std::optional<WallTime> begun_at = {};
};

inline RunOutcome failure(std::string error) {
  return {.status = RunStatus::failure, .error = std::move(error)};
}

inline RunOutcome server_failure(std::string error) {
  return {.status = RunStatus::failure, .error = std::move(error), .server_failed = true};
}

}  // namespace capstan
