#include "task/run_table.h"

#include "base/check.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

// Without the output, which may be long: put_output() adds it.
constexpr std::string_view run_columns =
    "select id, team_id, task_id, task_version_id, version, status, attempt, error,"
    " coalesce(session_ids, '[]'), accepted_at, started_at, finished_at, server_failed,"
    " (select count(*) from run_outputs where run_id = runs.id) from runs";

std::optional<WallTime> optional_time(const Row& row, std::size_t column) {
  auto ms = row.optional_integer(column);
  return ms ? std::optional(from_unix_ms(*ms)) : std::nullopt;
}

Run to_run(const Row& row) {
  auto status = parse_run_status(row.text(5));
  CHECK(status.has_value());
  std::vector<std::string> session_ids;
  json::value ids = parse_json(row.text(8), "session ids");
  for (const json::value& id : ids.as_array()) {
    session_ids.emplace_back(id.as_string());
  }
  return {
      .id = RunId::trusted(row.text(0)),
      .team = TeamId::trusted(row.text(1)),
      .task = TaskId::trusted(row.text(2)),
      .task_version = TaskVersionId::trusted(row.text(3)),
      .version = row.text(4),
      .status = *status,
      .attempt = row.integer(6),
      .output = {},
      .output_left_out = row.flag(13),
      .error = row.optional_text(7),
      .server_failed = row.flag(12),
      .session_ids = std::move(session_ids),
      .accepted_at = from_unix_ms(row.integer(9)),
      .started_at = optional_time(row, 10),
      .finished_at = optional_time(row, 11),
  };
}

void put_output(Transaction& tx, Run& run) {
  if (std::exchange(run.output_left_out, false)) {
    run.output =
        tx.query_one("select output from run_outputs where run_id = $1", {run.id.text()})->text(0);
  }
}

void put_outputs(Transaction& tx, std::vector<Run>& runs) {
  std::size_t bytes = 0;
  for (const Run& run : runs) {
    bytes += run.error.value_or("").size();
  }
  bool has_one = false;
  for (Run& run : runs) {
    if (!run.output_left_out) {
      continue;
    }
    put_output(tx, run);
    bytes += run.output->size();
    if (has_one && bytes > listed_text_bytes_max) {
      run.output.reset();
      run.output_left_out = true;
      return;
    }
    has_one = true;
  }
}

std::optional<Run> find_run(Transaction& tx, const RunId& id) {
  auto row = tx.query_one(std::string(run_columns) + " where id = $1", {id.text()});
  return row ? std::optional(to_run(*row)) : std::nullopt;
}

Task find_ordered_task(Transaction& tx, const StartRun& order) {
  if (const auto* id = std::get_if<TaskId>(&order.task)) {
    if (auto task = task_table::find(tx, order.team, *id)) {
      return std::move(*task);
    }
    throw Error(ErrorCode::not_found, "no task " + id->text());
  }
  const auto& name = std::get<std::string>(order.task);
  if (auto task = task_table::find_by_name(tx, order.team, name)) {
    return std::move(*task);
  }
  throw Error(ErrorCode::not_found, "no task named " + name);
}

TaskVersion find_ordered_version(Transaction& tx, const StartRun& order, const Task& task) {
  if (auto version = task_table::find_version(tx, task.id, order.version)) {
    return std::move(*version);
  }
  std::string which = order.version.kind == VersionSelector::Kind::latest
                          ? " has no version yet; create a draft or deploy it"
                          : " has no version " + order.version.text();
  throw Error(ErrorCode::not_found, "task " + task.name + which);
}

std::optional<Run> find_idempotent(Transaction& tx, const StartRun& order) {
  if (!order.idempotency_key) {
    return std::nullopt;
  }
  auto row = tx.query_one(
      "select run_id, request_hash from idempotency_keys where team_id = $1 and key = $2",
      {order.team.text(), *order.idempotency_key});
  if (!row) {
    return std::nullopt;
  }
  if (row->text(1) != order.request_hash) {
    throw Error(ErrorCode::unprocessable,
                "this Idempotency-Key came with another request before; use a new key");
  }
  return find_run(tx, RunId::trusted(row->text(0)));
}

void check_queue(Transaction& tx, const TeamId& team, const QueueLimits& limits) {
  auto count = [&](const char* condition, std::initializer_list<Value> values) {
    return tx
        .query_one(std::string("select count(*) from runs where status = 'queued'") + condition,
                   values)
        ->integer(0);
  };
  if (count("", {}) >= limits.queued_max) {
    throw Error(ErrorCode::unavailable, "the server's queue of runs is full; try again later")
        .retry_after(10s);
  }
  if (count(" and team_id = $1", {team.text()}) >= limits.queued_per_team_max) {
    throw Error(ErrorCode::resource_exhausted, "your team's queue of runs is full; try again later")
        .retry_after(10s);
  }
}

// A run keeps the configuration that it was accepted with, whatever happens to the version.
RunSettings complete_settings(const StartRun& order, const Task& task, const TaskVersion& version,
                              const Exits& exits) {
  RunSettings settings = order.settings;
  const auto& stored =
      version.browser_configuration ? version.browser_configuration : task.browser_configuration;
  if (stored) {
    settings.browser_configuration = overlay(*stored, settings.browser_configuration);
  }
  check_session_config(settings.browser_configuration, exits);
  return settings;
}

void insert_run(Transaction& tx, const Run& run, const RunSettings& settings) {
  tx.execute(
      "insert into runs (id, team_id, task_id, task_version_id, version, status, attempt, settings,"
      " accepted_at, started_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
      {run.id.text(), run.team.text(), run.task.text(), run.task_version.text(), run.version,
       std::string(to_text(run.status)), run.attempt, json::serialize(to_json(settings)),
       to_unix_ms(run.accepted_at),
       run.started_at ? Value(to_unix_ms(*run.started_at)) : Value(nullptr)});
}

void insert_log(Transaction& tx, const RunId& id, std::int64_t piece, const std::string& lines) {
  tx.execute("insert into run_logs (run_id, piece, lines) values ($1, $2, $3)",
             {id.text(), piece, lines});
}

std::string to_text(const std::vector<std::string>& session_ids) {
  return json::serialize(json::value_from(session_ids));
}

}  // namespace

RunTable::RunTable(Database& database, Clock& clock, Random& random, const Exits& exits,
                   QueueLimits limits)
    : database_(database), clock_(clock), random_(random), exits_(exits), limits_(limits) {}

Async<AcceptedRun> RunTable::accept(StartRun order, bool claim) {
  WallTime now = clock_.wall_now();
  RunId id = RunId::make(now, random_);
  co_return co_await database_.write([=, &exits = exits_, limits = limits_](Transaction& tx) {
    if (auto earlier = find_idempotent(tx, order)) {
      return AcceptedRun{.run = std::move(*earlier), .is_new = false};
    }
    if (order.session_trouble) {
      throw Error(ErrorCode::not_found, *order.session_trouble);
    }
    Task task = find_ordered_task(tx, order);
    TaskVersion version = find_ordered_version(tx, order, task);
    if (!claim) {
      check_queue(tx, order.team, limits);
    }
    Run run{
        .id = id,
        .team = order.team,
        .task = task.id,
        .task_version = version.id,
        .version = version_name(version.number),
        .status = claim ? RunStatus::running : RunStatus::queued,
        .attempt = claim ? 1 : 0,
        .output = {},
        .error = {},
        .server_failed = false,
        .session_ids = {},
        .accepted_at = now,
        .started_at = claim ? std::optional(now) : std::nullopt,
        .finished_at = {},
    };
    insert_run(tx, run, complete_settings(order, task, version, exits));
    if (order.idempotency_key) {
      tx.execute(
          "insert into idempotency_keys (team_id, key, request_hash, run_id, created_at)"
          " values ($1, $2, $3, $4, $5)",
          {order.team.text(), *order.idempotency_key, order.request_hash, id.text(),
           to_unix_ms(now)});
    }
    return AcceptedRun{.run = std::move(run)};
  });
}

Async<ClaimedRun> RunTable::load(RunId id) {
  co_return co_await database_.read([id](Transaction& tx) {
    auto run = find_run(tx, id);
    auto row = tx.query_one(
        "select r.settings, t.name, b.code from runs r join tasks t on t.id = r.task_id"
        " join task_versions v on v.id = r.task_version_id join bundles b on b.hash = v.bundle_hash"
        " where r.id = $1 and r.status = 'running'",
        {id.text()});
    if (!run || !row) {
      throw Error(ErrorCode::not_found, "run " + id.text() + " is not running");
    }
    return ClaimedRun{
        .run = std::move(*run),
        .task_name = row->text(1),
        .bundle = row->text(2),
        .settings = run_settings_from(parse_json(row->text(0), "a run's settings").as_object()),
    };
  });
}

Async<std::optional<RunClaim>> RunTable::claim_next() {
  std::int64_t now = to_unix_ms(clock_.wall_now());
  co_return co_await database_.write([now](Transaction& tx) -> std::optional<RunClaim> {
    auto row = tx.query_one(
        "update runs set status = 'running', attempt = attempt + 1, started_at = $1"
        " where id = (select q.id from runs q where q.status = 'queued' order by"
        " (select count(*) from runs o where o.status = 'running' and o.team_id = q.team_id),"
        " q.accepted_at, q.id limit 1) returning id, attempt",
        {now});
    return row ? std::optional(RunClaim{RunId::trusted(row->text(0)), row->integer(1)})
               : std::nullopt;
  });
}

Async<> RunTable::give_back(RunClaim claim) {
  co_await database_.write([=](Transaction& tx) {
    tx.execute(
        "update runs set status = 'queued', started_at = null"
        " where id = $1 and attempt = $2 and status = 'running'",
        {claim.id.text(), claim.attempt});
  });
}

Async<bool> RunTable::finish(RunClaim claim, RunOutcome outcome,
                             std::vector<std::string> session_ids, std::string log_lines) {
  std::int64_t now = to_unix_ms(clock_.wall_now());
  co_return co_await database_.write([=](Transaction& tx) {
    bool was_ours = tx.execute(
                        "update runs set status = $1, error = $2, server_failed = $3,"
                        " session_ids = $4, started_at = coalesce($5, started_at),"
                        " finished_at = $6, settings = ''"
                        " where id = $7 and attempt = $8 and status = 'running'",
                        {std::string(to_text(outcome.status)), maybe(outcome.error),
                         outcome.server_failed ? 1 : 0, to_text(session_ids),
                         outcome.begun_at ? Value(to_unix_ms(*outcome.begun_at)) : Value(nullptr),
                         now, claim.id.text(), claim.attempt}) == 1;
    if (was_ours && outcome.output) {
      tx.execute("insert into run_outputs (run_id, output) values ($1, $2)",
                 {claim.id.text(), *outcome.output});
    }
    if (was_ours && !log_lines.empty()) {
      std::int64_t piece =
          tx.query_one("select count(*) from run_logs where run_id = $1", {claim.id.text()})
              ->integer(0);
      insert_log(tx, claim.id, piece, log_lines);
    }
    return was_ours;
  });
}

Async<bool> RunTable::cancel_queued(RunId id) {
  std::int64_t now = to_unix_ms(clock_.wall_now());
  co_return co_await database_.write([=](Transaction& tx) {
    return tx.execute(
               "update runs set status = 'cancelled', error = 'cancelled before it began',"
               " finished_at = $1, settings = '' where id = $2 and status = 'queued'",
               {now, id.text()}) == 1;
  });
}

Async<std::int64_t> RunTable::fail_interrupted(std::string reason) {
  std::int64_t now = to_unix_ms(clock_.wall_now());
  co_return co_await database_.write([=](Transaction& tx) {
    return tx.execute(
        "update runs set status = 'failure', error = $1, server_failed = 1, finished_at = $2,"
        " settings = ''"
        " where status = 'running'",
        {reason, now});
  });
}

Async<Run> RunTable::find(TeamId team, TaskId task, RunId id) {
  co_return co_await database_.read([=](Transaction& tx) {
    auto run = find_run(tx, id);
    if (!run || run->team != team || run->task != task) {
      throw Error(ErrorCode::not_found, "the task has no execution " + id.text());
    }
    return std::move(*run);
  });
}

Async<Run> RunTable::find(RunId id) {
  co_return co_await database_.read([=](Transaction& tx) {
    auto run = find_run(tx, id);
    CHECK(run.has_value());
    return std::move(*run);
  });
}

Async<Run> RunTable::with_output(Run run) {
  if (!run.output_left_out) {
    co_return run;
  }
  co_return co_await database_.read([run = std::move(run)](Transaction& tx) {
    Run found = run;
    put_output(tx, found);
    return found;
  });
}

Async<RunPage> RunTable::list(TeamId team, TaskId task, RunFilter filter, std::int64_t page,
                              std::int64_t limit) {
  co_return co_await database_.read([=](Transaction& tx) {
    if (!task_table::find(tx, team, task)) {
      throw Error(ErrorCode::not_found, "no task " + task.text());
    }
    Value status = filter.status ? Value(std::string(to_text(*filter.status))) : Value(nullptr);
    std::string condition =
        " where task_id = $1 and version <> 'draft' and (cast($2 as text) is null or status = $2)"
        " and (cast($3 as text) is null or version = $3)";
    RunPage result;
    result.total = tx.query_one("select count(*) from runs" + condition,
                                {task.text(), status, maybe(filter.version)})
                       ->integer(0);
    for (const Row& row :
         tx.query(std::string(run_columns) + condition +
                      " order by accepted_at desc, id desc limit $4 offset $5",
                  {task.text(), status, maybe(filter.version), limit, (page - 1) * limit})) {
      result.runs.push_back(to_run(row));
    }
    put_outputs(tx, result.runs);
    return result;
  });
}

Async<std::vector<std::string>> RunTable::log_pieces(RunId id) {
  co_return co_await database_.read([id](Transaction& tx) {
    std::vector<std::string> pieces;
    for (const Row& row :
         tx.query("select lines from run_logs where run_id = $1 order by piece", {id.text()})) {
      pieces.push_back(row.text(0));
    }
    return pieces;
  });
}

Async<> RunTable::append_log(RunId id, std::int64_t piece, std::string lines) {
  co_await database_.write([=](Transaction& tx) { insert_log(tx, id, piece, lines); });
}

}  // namespace capstan
