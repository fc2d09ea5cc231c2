#include "task/task_table.h"

#include <charconv>

namespace capstan {
namespace {

constexpr std::int64_t number_max = 1'000'000'000;

// `latest` is the highest published version that is not deleted, else the draft.
constexpr std::string_view task_columns =
    "select t.id, t.team_id, t.name, t.description, t.browser_configuration, t.created_at,"
    " t.updated_at, (select max(number) from task_versions v"
    " where v.task_id = t.id and v.deleted_at is null) from tasks t where t.deleted_at is null";

constexpr std::string_view version_columns =
    "select id, task_id, number, code, bundle_hash, language, description, browser_configuration,"
    " created_at, updated_at from task_versions where deleted_at is null";

std::optional<SessionConfig> parse_configuration(const std::optional<std::string>& text) {
  if (!text) {
    return std::nullopt;
  }
  return from_stored_json(parse_json(*text, "a stored configuration").as_object());
}

Value to_value(const std::optional<SessionConfig>& configuration) {
  return configuration ? Value(json::serialize(to_stored_json(*configuration))) : Value(nullptr);
}

Task to_task(const Row& row) {
  auto latest = row.optional_integer(7);
  return {
      .id = TaskId::trusted(row.text(0)),
      .team = TeamId::trusted(row.text(1)),
      .name = row.text(2),
      .description = row.optional_text(3),
      .browser_configuration = parse_configuration(row.optional_text(4)),
      .created_at = from_unix_ms(row.integer(5)),
      .updated_at = from_unix_ms(row.integer(6)),
      .latest = latest ? version_name(*latest) : "",
  };
}

TaskVersion to_version(const Row& row) {
  return {
      .id = TaskVersionId::trusted(row.text(0)),
      .task = TaskId::trusted(row.text(1)),
      .number = row.integer(2),
      .code = row.text(3),
      .bundle_hash = row.text(4),
      .language = row.text(5),
      .description = row.optional_text(6),
      .browser_configuration = parse_configuration(row.optional_text(7)),
      .created_at = from_unix_ms(row.integer(8)),
      .updated_at = from_unix_ms(row.integer(9)),
  };
}

template <class Thing>
std::optional<Thing> maybe_row(const std::optional<Row>& row, Thing (*convert)(const Row&)) {
  return row ? std::optional(convert(*row)) : std::nullopt;
}

std::string sql(std::string_view columns, std::string_view rest) {
  return std::string(columns) + std::string(rest);
}

}  // namespace

std::string version_name(std::int64_t number) {
  return number == draft_number ? "draft" : std::to_string(number);
}

std::string VersionSelector::text() const {
  switch (kind) {
    case Kind::latest:
      return "latest";
    case Kind::draft:
      return "draft";
    case Kind::number:
      return std::to_string(number);
  }
  return "latest";
}

std::optional<VersionSelector> parse_version_selector(std::string_view text) {
  if (text == "latest") {
    return VersionSelector{VersionSelector::Kind::latest};
  }
  if (text == "draft") {
    return VersionSelector{VersionSelector::Kind::draft};
  }
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  bool is_number = error == std::errc() && end == text.data() + text.size() &&
                   text.front() != '0' && number >= 1 && number <= number_max;
  if (!is_number) {
    return std::nullopt;
  }
  return VersionSelector{VersionSelector::Kind::number, number};
}

namespace task_table {

std::optional<Task> find(Transaction& tx, const TeamId& team, const TaskId& id) {
  return maybe_row(tx.query_one(sql(task_columns, " and t.team_id = $1 and t.id = $2"),
                                {team.text(), id.text()}),
                   to_task);
}

std::optional<Task> find_by_name(Transaction& tx, const TeamId& team, const std::string& name) {
  return maybe_row(
      tx.query_one(sql(task_columns, " and t.team_id = $1 and t.name = $2"), {team.text(), name}),
      to_task);
}

std::vector<Task> list(Transaction& tx, const TeamId& team, const std::optional<std::string>& name,
                       std::int64_t offset, std::int64_t count) {
  std::vector<Task> tasks;
  for (const Row& row :
       tx.query(sql(task_columns,
                    " and t.team_id = $1 and (cast($2 as text) is null or t.name = $2)"
                    " order by t.created_at desc, t.id desc limit $3 offset $4"),
                {team.text(), maybe(name), count, offset})) {
    tasks.push_back(to_task(row));
  }
  return tasks;
}

std::int64_t count(Transaction& tx, const TeamId& team, const std::optional<std::string>& name) {
  return tx
      .query_one(
          "select count(*) from tasks where team_id = $1 and deleted_at is null"
          " and (cast($2 as text) is null or name = $2)",
          {team.text(), maybe(name)})
      ->integer(0);
}

void insert(Transaction& tx, const Task& task) {
  tx.execute(
      "insert into tasks (id, team_id, name, description, browser_configuration, last_number,"
      " created_at, updated_at) values ($1, $2, $3, $4, $5, 0, $6, $7)",
      {task.id.text(), task.team.text(), task.name, maybe(task.description),
       to_value(task.browser_configuration), to_unix_ms(task.created_at),
       to_unix_ms(task.updated_at)});
}

void update(Transaction& tx, const Task& task) {
  tx.execute(
      "update tasks set name = $1, description = $2, browser_configuration = $3, updated_at = $4"
      " where id = $5",
      {task.name, maybe(task.description), to_value(task.browser_configuration),
       to_unix_ms(task.updated_at), task.id.text()});
}

void remove(Transaction& tx, const TaskId& id, WallTime now) {
  tx.execute("update task_versions set deleted_at = $1 where task_id = $2 and deleted_at is null",
             {to_unix_ms(now), id.text()});
  tx.execute("update tasks set deleted_at = $1 where id = $2", {to_unix_ms(now), id.text()});
}

std::optional<TaskVersion> find_version(Transaction& tx, const TaskId& task,
                                        const VersionSelector& which) {
  if (which.kind == VersionSelector::Kind::latest) {
    return maybe_row(
        tx.query_one(sql(version_columns, " and task_id = $1 order by number desc limit 1"),
                     {task.text()}),
        to_version);
  }
  return maybe_row(tx.query_one(sql(version_columns, " and task_id = $1 and number = $2"),
                                {task.text(), which.number}),
                   to_version);
}

std::vector<ListedVersion> versions(Transaction& tx, const TaskId& task) {
  std::vector<ListedVersion> versions;
  for (const Row& row :
       tx.query("select number, description, created_at, updated_at from task_versions"
                " where task_id = $1 and deleted_at is null"
                " order by number = 0 desc, number desc limit $2",
                {task.text(), listed_versions_max})) {
    versions.push_back({.number = row.integer(0),
                        .description = row.optional_text(1),
                        .created_at = from_unix_ms(row.integer(2)),
                        .updated_at = from_unix_ms(row.integer(3))});
  }
  return versions;
}

void put_version(Transaction& tx, const TaskVersion& version) {
  tx.execute(
      "insert into task_versions (id, task_id, number, code, bundle_hash, language, description,"
      " browser_configuration, created_at, updated_at)"
      " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
      " on conflict (task_id, number) where deleted_at is null do update set"
      " code = excluded.code, bundle_hash = excluded.bundle_hash, language = excluded.language,"
      " description = excluded.description,"
      " browser_configuration = excluded.browser_configuration, updated_at = excluded.updated_at",
      {version.id.text(), version.task.text(), version.number, version.code, version.bundle_hash,
       version.language, maybe(version.description), to_value(version.browser_configuration),
       to_unix_ms(version.created_at), to_unix_ms(version.updated_at)});
}

void remove_version(Transaction& tx, const TaskVersionId& id, WallTime now) {
  tx.execute("update task_versions set deleted_at = $1 where id = $2",
             {to_unix_ms(now), id.text()});
}

std::int64_t last_number(Transaction& tx, const TaskId& task) {
  return tx.query_one("select last_number from tasks where id = $1", {task.text()})->integer(0);
}

void raise_last_number(Transaction& tx, const TaskId& task, std::int64_t number) {
  tx.execute("update tasks set last_number = $1 where id = $2 and last_number < $1",
             {number, task.text()});
}

std::optional<std::string> find_bundle(Transaction& tx, const std::string& hash) {
  auto row = tx.query_one("select code from bundles where hash = $1", {hash});
  return row ? std::optional(row->text(0)) : std::nullopt;
}

void put_bundle(Transaction& tx, const std::string& hash, const std::string& code) {
  tx.execute("insert into bundles (hash, code) values ($1, $2) on conflict do nothing",
             {hash, code});
}

}  // namespace task_table

}  // namespace capstan
