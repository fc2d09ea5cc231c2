#pragma once

#include <optional>
#include <string>
#include <vector>

#include "access/caller.h"
#include "base/time.h"
#include "session/session_config.h"
#include "store/sqlite.h"

namespace capstan {

using TaskId = Id<struct TaskTag>;
using TaskVersionId = Id<struct TaskVersionTag>;

// How much of long texts, outputs and code, a list brings.
inline constexpr std::size_t listed_text_bytes_max = std::size_t{10} << 20;

// "draft", or "1", "2", ...
std::string version_name(std::int64_t number);
inline constexpr std::int64_t draft_number = 0;

// Which version of a task is meant.
struct VersionSelector {
  enum class Kind { latest, draft, number };
  Kind kind = Kind::latest;
  std::int64_t number = 0;

  std::string text() const;
};
// "latest", "draft" or a number from 1 to 10^9 without leading zeros; nothing for anything else.
std::optional<VersionSelector> parse_version_selector(std::string_view text);

// A named program. Its texts are its versions.
struct Task {
  TaskId id;
  TeamId team;
  std::string name;
  std::optional<std::string> description;
  std::optional<SessionConfig> browser_configuration;  // for versions that don't bring their own
  WallTime created_at;
  WallTime updated_at;
  std::string latest;  // what `latest` stands for: a number, else "draft", else empty
};

// One text of a task: frozen, but for the draft.
struct TaskVersion {
  TaskVersionId id;
  TaskId task;
  std::int64_t number;
  std::string code;  // base64, as it was sent
  std::string bundle_hash;
  std::string language;
  std::optional<std::string> description;
  std::optional<SessionConfig> browser_configuration;
  WallTime created_at;
  WallTime updated_at;
};

// What a list tells about a version.
struct ListedVersion {
  std::int64_t number;
  std::optional<std::string> description;
  WallTime created_at;
  WallTime updated_at;
};
inline constexpr std::int64_t listed_versions_max = 1000;

// The statements about tasks and their versions, for use inside a transaction. Deleted rows are
// kept, and seen by none of these.
namespace task_table {

std::optional<Task> find(Transaction& tx, const TeamId& team, const TaskId& id);
std::optional<Task> find_by_name(Transaction& tx, const TeamId& team, const std::string& name);
// Newest first; only those of this name, if one is given.
std::vector<Task> list(Transaction& tx, const TeamId& team, const std::optional<std::string>& name,
                       std::int64_t offset, std::int64_t count);
std::int64_t count(Transaction& tx, const TeamId& team, const std::optional<std::string>& name);
void insert(Transaction& tx, const Task& task);
// Writes name, description, browser_configuration and updated_at. Throws conflict for a name that
// another task has.
void update(Transaction& tx, const Task& task);
void remove(Transaction& tx, const TaskId& id, WallTime now);

std::optional<TaskVersion> find_version(Transaction& tx, const TaskId& task,
                                        const VersionSelector& which);
// The draft first, then the highest number first; no more than listed_versions_max.
std::vector<ListedVersion> versions(Transaction& tx, const TaskId& task);
// Inserts the version, or replaces all but id and created_at of the one with the same number.
void put_version(Transaction& tx, const TaskVersion& version);
void remove_version(Transaction& tx, const TaskVersionId& id, WallTime now);
// The highest number ever given to a version of the task.
std::int64_t last_number(Transaction& tx, const TaskId& task);
void raise_last_number(Transaction& tx, const TaskId& task, std::int64_t number);

std::optional<std::string> find_bundle(Transaction& tx, const std::string& hash);
void put_bundle(Transaction& tx, const std::string& hash, const std::string& code);

}  // namespace task_table

}  // namespace capstan
