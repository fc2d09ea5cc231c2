#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "io/clock.h"
#include "store/database.h"
#include "task/bundler.h"
#include "task/task_table.h"

namespace capstan {

struct TaskLimits {
  std::size_t code_bytes_max = std::size_t{1} << 20;
};

// A text for a version, as it came. What is not given is empty.
struct NewVersion {
  std::optional<std::string> code;  // base64
  std::optional<std::string> description;
  std::optional<SessionConfig> browser_configuration;
};

struct NewTask {
  std::string name;
  NewVersion version;  // its description and configuration are the task's, too
};

struct TaskChange {
  std::optional<std::string> name;
  std::optional<std::string> description;
};

struct TaskPage {
  // Each with its latest version, as long as these have listed_text_bytes_max of code at most.
  std::vector<std::pair<Task, std::optional<TaskVersion>>> tasks;
  std::int64_t total = 0;
};

// The front door for tasks and their versions. Everything is within one team; what is another
// team's is not_found. Code is checked when it is stored, and bundled once, so that no run ever
// meets code that doesn't parse, or waits for a compiler. Owned by App.
class Tasks {
 public:
  Tasks(Database& database, Clock& clock, Random& random, Bundler& bundler, TaskLimits limits);

  // Makes the task, or changes the one of that name; code becomes the draft.
  Async<std::pair<Task, std::optional<TaskVersion>>> create(TeamId team, NewTask order);
  // Newest first; only the one of this name, if a name is given.
  Async<TaskPage> list(TeamId team, std::optional<std::string> name, std::int64_t page,
                       std::int64_t limit);
  Async<Task> find(TeamId team, TaskId id);
  // Throws conflict when the new name is another task's.
  Async<Task> change(TeamId team, TaskId id, TaskChange change);
  Async<> remove(TeamId team, TaskId id);

  Async<std::vector<ListedVersion>> versions(TeamId team, TaskId id);
  Async<TaskVersion> version(TeamId team, TaskId id, VersionSelector which);
  Async<TaskVersion> write_draft(TeamId team, TaskId id, NewVersion version);
  // Publishes the given code, or the draft, under the next number. Throws invalid_argument when
  // there is neither.
  Async<TaskVersion> deploy(TeamId team, TaskId id, NewVersion version);
  // Publishes under that number, or changes what is told about a version that is there already.
  // Throws conflict when that would change its code, or when the number was used before.
  Async<TaskVersion> publish(TeamId team, TaskId id, std::int64_t number, NewVersion version);
  Async<> remove_version(TeamId team, TaskId id, VersionSelector which);

 private:
  struct Bundle {
    std::string code;  // base64, as it was sent
    std::string hash;
    std::string text;  // empty when the store has it already
  };
  Async<Bundle> check_code(std::string name, std::string base64);
  Async<std::optional<Bundle>> check_code_of(TeamId team, TaskId id,
                                             std::optional<std::string> base64);
  TaskVersion make_version(const TaskId& task, std::int64_t number, const Bundle& bundle,
                           const NewVersion& version);

  Database& database_;
  Clock& clock_;
  Random& random_;
  Bundler& bundler_;
  const TaskLimits limits_;
};

}  // namespace capstan
