#include "task/run_table.h"

#include "io/loop_test.h"

namespace capstan {

using namespace std::chrono_literals;

class RunTableTest : public LoopTest {
 public:
  RunTableTest() {
    run(make_rows());
    context_.restart();
  }

  Async<> make_rows() {
    acme_ = co_await add_team("acme");
    other_ = co_await add_team("other");
    report_ = co_await add_task(acme_, "report");
    others_report_ = co_await add_task(other_, "report");
  }

  Async<TeamId> add_team(std::string name) {
    TeamId id = TeamId::make(clock_.wall_now(), random_);
    co_await database_.write([id, name](Transaction& tx) {
      tx.execute("insert into teams (id, name, created_at) values ($1, $2, 0)", {id.text(), name});
    });
    co_return id;
  }

  // A task with version 1, whose bundle is "code of NAME".
  Async<TaskId> add_task(TeamId team, std::string name) {
    WallTime now = clock_.wall_now();
    Task task{.id = TaskId::make(now, random_),
              .team = team,
              .name = name,
              .description = {},
              .browser_configuration = {},
              .created_at = now,
              .updated_at = now,
              .latest = {}};
    co_await database_.write([task](Transaction& tx) {
      task_table::insert(tx, task);
      task_table::put_bundle(tx, "hash of " + task.name, "code of " + task.name);
    });
    co_await put_version(task.id, 1, {});
    co_return task.id;
  }

  Async<> put_version(TaskId task, std::int64_t number,
                      std::optional<SessionConfig> configuration) {
    TaskVersion version{.id = TaskVersionId::make(clock_.wall_now(), random_),
                        .task = task,
                        .number = number,
                        .code = "Y29kZQ==",
                        .bundle_hash = "hash of report",
                        .language = "typescript",
                        .description = {},
                        .browser_configuration = std::move(configuration),
                        .created_at = clock_.wall_now(),
                        .updated_at = clock_.wall_now()};
    co_await database_.write([version](Transaction& tx) { task_table::put_version(tx, version); });
  }

  StartRun order(std::string key = {}, std::string hash = "same") const {
    StartRun start{.team = acme_,
                   .task = std::string("report"),
                   .version = {},
                   .settings = {},
                   .idempotency_key = {},
                   .request_hash = std::move(hash)};
    start.settings.inputs = {{"ANCHOR_PASSWORD", "secret"}};
    if (!key.empty()) {
      start.idempotency_key = std::move(key);
    }
    return start;
  }

  StartRun order_of_other() const {
    StartRun start = order();
    start.team = other_;
    return start;
  }

  Async<RunId> queue(StartRun start) {
    clock_.advance(1ms);
    auto accepted = co_await table_.accept(std::move(start), false);
    EXPECT_TRUE(accepted.is_new);
    co_return accepted.run.id;
  }

  Async<ErrorCode> refusal_of(StartRun start, bool claim) {
    auto outcome = co_await outcome_of(table_.accept(std::move(start), claim));
    EXPECT_FALSE(outcome.ok());
    co_return outcome.ok() ? ErrorCode::internal : outcome.error().code();
  }

  Async<bool> end(RunId id, std::int64_t attempt) {
    co_return co_await table_.finish(
        {id, attempt}, {.status = RunStatus::success, .output = {}, .error = {}}, {}, {});
  }

  Async<std::optional<RunId>> claim() {
    auto claimed = co_await table_.claim_next();
    co_return claimed ? std::optional(claimed->id) : std::nullopt;
  }

  // The settings as they stand in the row.
  Async<std::string> stored_settings(RunId id) {
    co_return co_await database_.read([id](Transaction& tx) {
      return tx.query_one("select settings from runs where id = $1", {id.text()})->text(0);
    });
  }

  Async<std::int64_t> count_runs() {
    co_return co_await database_.read(
        [](Transaction& tx) { return tx.query_one("select count(*) from runs", {})->integer(0); });
  }

 protected:
  static constexpr std::uint64_t seed = 411;
  testing::ScopedTrace trace_{__FILE__, __LINE__, "seed " + std::to_string(seed)};
  Database database_{{}};
  SeededRandom random_{seed};
  const Exits exits_{{{.place = {"de"}, .proxy = {.host = "exit.example", .port = 1}}}};
  RunTable table_{database_, clock_, random_, exits_, {.queued_max = 4, .queued_per_team_max = 3}};
  TeamId acme_ = TeamId::trusted("");
  TeamId other_ = TeamId::trusted("");
  TaskId report_ = TaskId::trusted("");
  TaskId others_report_ = TaskId::trusted("");
};

ASYNC_TEST(RunTableTest, an_accepted_run_is_queued_or_running_if_the_caller_has_a_slot) {
  auto queued = co_await table_.accept(order(), false);
  EXPECT_TRUE(queued.is_new);
  EXPECT_EQ(queued.run.status, RunStatus::queued);
  EXPECT_EQ(queued.run.attempt, 0);
  EXPECT_EQ(queued.run.started_at, std::nullopt);
  auto running = co_await table_.accept(order(), true);
  EXPECT_EQ(running.run.status, RunStatus::running);
  EXPECT_EQ(running.run.attempt, 1);
  EXPECT_EQ(running.run.started_at, clock_.wall_now());
  for (const auto& told : {queued.run, running.run}) {
    auto stored = co_await table_.find(told.id);
    EXPECT_EQ(stored.team, acme_);
    EXPECT_EQ(stored.task, report_);
    EXPECT_EQ(stored.task_version, told.task_version);
    EXPECT_EQ(stored.version, "1");
    EXPECT_EQ(stored.status, told.status);
    EXPECT_EQ(stored.attempt, told.attempt);
    EXPECT_EQ(stored.accepted_at, clock_.wall_now());
    EXPECT_EQ(stored.started_at, told.started_at);
    EXPECT_EQ(stored.finished_at, std::nullopt);
    EXPECT_EQ(stored.output, std::nullopt);
    EXPECT_EQ(stored.error, std::nullopt);
    EXPECT_TRUE(stored.session_ids.empty());
  }
}

ASYNC_TEST(RunTableTest, a_task_is_found_by_id_or_name_within_the_team_alone) {
  StartRun start = order();
  start.task = report_;
  EXPECT_EQ((co_await table_.accept(start, true)).run.task, report_);
  start.task = others_report_;
  EXPECT_EQ(co_await refusal_of(start, true), ErrorCode::not_found);
  start.task = std::string("unknown");
  EXPECT_EQ(co_await refusal_of(start, true), ErrorCode::not_found);
  start = order();
  start.version = {VersionSelector::Kind::number, 2};
  EXPECT_EQ(co_await refusal_of(start, true), ErrorCode::not_found);
  start.version = {VersionSelector::Kind::draft};
  EXPECT_EQ(co_await refusal_of(start, true), ErrorCode::not_found);
  EXPECT_EQ((co_await table_.accept(order_of_other(), true)).run.task, others_report_);
  EXPECT_EQ(co_await count_runs(), 2) << "a refused run leaves no row";
}

ASYNC_TEST(RunTableTest, load_returns_all_that_is_needed_to_execute_it) {
  StartRun start = order();
  start.settings.end_given_session = true;
  RunId id = (co_await table_.accept(start, true)).run.id;
  ClaimedRun loaded = co_await table_.load(id);
  EXPECT_EQ(loaded.run.id, id);
  EXPECT_EQ(loaded.task_name, "report");
  EXPECT_EQ(loaded.bundle, "code of report");
  EXPECT_EQ(loaded.settings.inputs, start.settings.inputs);
  EXPECT_TRUE(loaded.settings.end_given_session);
}

ASYNC_TEST(RunTableTest, only_a_running_run_can_be_loaded) {
  RunId id = co_await queue(order());
  auto queued = co_await outcome_of(table_.load(id));
  EXPECT_FALSE(queued.ok());
  EXPECT_EQ(queued.error().code(), ErrorCode::not_found);
  EXPECT_EQ(co_await claim(), id);
  EXPECT_TRUE((co_await outcome_of(table_.load(id))).ok());
  EXPECT_TRUE(co_await end(id, 1));
  EXPECT_FALSE((co_await outcome_of(table_.load(id))).ok());
  auto unknown = co_await outcome_of(table_.load(RunId::make(clock_.wall_now(), random_)));
  EXPECT_EQ(unknown.error().code(), ErrorCode::not_found);
}

ASYNC_TEST(RunTableTest, a_removed_task_takes_no_accepted_run_along) {
  RunId id = co_await queue(order());
  co_await database_.write(
      [this](Transaction& tx) { task_table::remove(tx, report_, from_unix_ms(1)); });
  EXPECT_EQ(co_await claim(), id);
  EXPECT_EQ((co_await table_.load(id)).bundle, "code of report");
}

ASYNC_TEST(RunTableTest, a_run_keeps_the_configuration_that_it_was_accepted_with) {
  SessionConfig of_version;
  of_version.tags = {{"of version"}};
  of_version.headless = true;
  co_await put_version(report_, 2, of_version);
  StartRun start = order();
  start.settings.browser_configuration.tags = {{"of run"}};
  auto accepted = (co_await table_.accept(start, true)).run;
  EXPECT_EQ(accepted.version, "2");
  co_await put_version(report_, 2, SessionConfig());
  ClaimedRun loaded = co_await table_.load(accepted.id);
  EXPECT_EQ(json::serialize(to_json(loaded.settings.browser_configuration)),
            R"({"tags":["of run"],"headless":{"active":true}})");
}

ASYNC_TEST(RunTableTest, a_version_without_a_configuration_takes_its_tasks) {
  co_await database_.write([this](Transaction& tx) {
    Task task = *task_table::find(tx, acme_, report_);
    task.browser_configuration.emplace().tags = {{"of task"}};
    task_table::update(tx, task);
  });
  RunId of_task = (co_await table_.accept(order(), true)).run.id;
  SessionConfig of_version_two;
  of_version_two.headless = true;
  co_await put_version(report_, 2, of_version_two);
  RunId of_version = (co_await table_.accept(order(), true)).run.id;
  auto configuration = [](const ClaimedRun& run) {
    return json::serialize(to_json(run.settings.browser_configuration));
  };
  EXPECT_EQ(configuration(co_await table_.load(of_task)), R"({"tags":["of task"]})");
  EXPECT_EQ(configuration(co_await table_.load(of_version)), R"({"headless":{"active":true}})");
}

ASYNC_TEST(RunTableTest, a_place_that_no_exit_serves_is_refused_wherever_it_comes_from) {
  auto going_out = [](const char* country) {
    SessionConfig config;
    config.proxy = {.active = true, .proxy = AnchorProxy{{country}}};
    return config;
  };
  StartRun start = order();
  start.settings.browser_configuration = going_out("fr");
  EXPECT_EQ(co_await refusal_of(start, true), ErrorCode::invalid_argument);
  co_await put_version(report_, 2, going_out("fr"));
  EXPECT_EQ(co_await refusal_of(order(), true), ErrorCode::invalid_argument);
  EXPECT_EQ(co_await count_runs(), 0);
  start.settings.browser_configuration = going_out("de");
  EXPECT_TRUE((co_await table_.accept(start, true)).is_new) << "the whole proxy is replaced";
}

ASYNC_TEST(RunTableTest, the_queue_is_worked_off_by_age) {
  std::vector<RunId> ids;
  for (int run = 0; run < 3; ++run) {
    ids.push_back(co_await queue(order()));
  }
  clock_.advance(1s);
  for (const RunId& id : ids) {
    EXPECT_EQ(co_await claim(), id);
    auto run = co_await table_.find(id);
    EXPECT_EQ(run.status, RunStatus::running);
    EXPECT_EQ(run.attempt, 1);
    EXPECT_EQ(run.started_at, clock_.wall_now());
    EXPECT_LT(run.accepted_at, clock_.wall_now());
  }
  EXPECT_EQ(co_await claim(), std::nullopt);
}

ASYNC_TEST(RunTableTest, the_team_with_the_fewest_running_runs_comes_first) {
  RunId acme_running = (co_await table_.accept(order(), true)).run.id;
  RunId acme_old = co_await queue(order());
  RunId acme_new = co_await queue(order());
  RunId other_old = co_await queue(order_of_other());
  RunId other_new = co_await queue(order_of_other());
  EXPECT_EQ(co_await claim(), other_old) << "of nobody's running against one";
  EXPECT_EQ(co_await claim(), acme_old) << "of one against one, by age";
  EXPECT_EQ(co_await claim(), other_new) << "of two against one";
  EXPECT_TRUE(co_await end(acme_running, 1));
  EXPECT_TRUE(co_await end(acme_old, 1));
  RunId other_last = co_await queue(order_of_other());
  EXPECT_EQ(co_await claim(), acme_new) << "ended ones don't count";
  EXPECT_EQ(co_await claim(), other_last);
}

ASYNC_TEST(RunTableTest, a_run_ends_once_and_in_its_attempt) {
  RunId id = (co_await table_.accept(order(), true)).run.id;
  clock_.advance(1s);
  EXPECT_FALSE(co_await end(id, 0));
  EXPECT_FALSE(co_await end(id, 2));
  EXPECT_EQ((co_await table_.find(id)).status, RunStatus::running);
  EXPECT_TRUE(co_await table_.finish(
      {id, 1}, {.status = RunStatus::success, .output = R"({"a":1})", .error = {}},
      {"session-1", "session-2"}, R"([{"text":"one"}])"));
  WallTime ended = clock_.wall_now();
  clock_.advance(1s);
  EXPECT_FALSE(co_await table_.finish(
      {id, 1}, {.status = RunStatus::failure, .output = {}, .error = "late"}, {}, "late"));
  EXPECT_FALSE(co_await table_.cancel_queued(id));
  EXPECT_EQ(co_await table_.fail_interrupted("late"), 0);
  auto run = co_await table_.find(id);
  EXPECT_EQ(run.status, RunStatus::success);
  EXPECT_EQ(run.output, std::nullopt) << "nobody asked for it";
  run = co_await table_.with_output(std::move(run));
  EXPECT_EQ(run.output, R"({"a":1})");
  EXPECT_EQ(run.error, std::nullopt);
  EXPECT_EQ(run.session_ids, (std::vector<std::string>{"session-1", "session-2"}));
  EXPECT_EQ(run.finished_at, ended);
  EXPECT_EQ(co_await table_.log_pieces(id), (std::vector<std::string>{R"([{"text":"one"}])"}));
}

ASYNC_TEST(RunTableTest, a_queued_run_cannot_be_finished) {
  RunId id = co_await queue(order());
  EXPECT_FALSE(co_await end(id, 0));
  EXPECT_EQ((co_await table_.find(id)).status, RunStatus::queued);
}

ASYNC_TEST(RunTableTest, a_claim_that_is_given_back_is_claimed_anew) {
  RunId id = (co_await table_.accept(order(), true)).run.id;
  co_await table_.give_back({id, 2});
  EXPECT_EQ((co_await table_.find(id)).status, RunStatus::running) << "that was not the claim";
  co_await table_.give_back({id, 1});
  EXPECT_EQ((co_await table_.find(id)).status, RunStatus::queued);
  EXPECT_EQ((co_await table_.find(id)).started_at, std::nullopt);
  auto claimed = co_await table_.claim_next();
  EXPECT_EQ(claimed.value().id, id);
  EXPECT_EQ(claimed.value().attempt, 2);
  EXPECT_FALSE(co_await end(id, 1));
  EXPECT_TRUE(co_await end(id, 2));
}

ASYNC_TEST(RunTableTest, every_end_state_and_its_error_come_back) {
  for (RunStatus status :
       {RunStatus::success, RunStatus::failure, RunStatus::timeout, RunStatus::cancelled}) {
    RunId id = (co_await table_.accept(order(), true)).run.id;
    EXPECT_TRUE(co_await table_.finish(
        {id, 1}, {.status = status, .error = "because", .server_failed = true}, {}, {}));
    auto run = co_await table_.find(id);
    EXPECT_TRUE(run.server_failed);
    EXPECT_EQ(run.status, status);
    EXPECT_EQ(run.error, "because");
  }
}

ASYNC_TEST(RunTableTest, a_runs_inputs_are_erased_however_it_ends) {
  RunId finished = (co_await table_.accept(order(), true)).run.id;
  RunId interrupted = (co_await table_.accept(order(), true)).run.id;
  RunId cancelled = co_await queue(order());
  for (const RunId& id : {finished, interrupted, cancelled}) {
    EXPECT_NE((co_await stored_settings(id)).find("secret"), std::string::npos);
  }
  EXPECT_TRUE(co_await end(finished, 1));
  EXPECT_TRUE(co_await table_.cancel_queued(cancelled));
  EXPECT_EQ(co_await table_.fail_interrupted("the server ended"), 1);
  for (const RunId& id : {finished, interrupted, cancelled}) {
    EXPECT_EQ(co_await stored_settings(id), "");
  }
}

ASYNC_TEST(RunTableTest, only_a_queued_run_can_be_cancelled_here) {
  RunId id = co_await queue(order());
  clock_.advance(1s);
  EXPECT_TRUE(co_await table_.cancel_queued(id));
  EXPECT_FALSE(co_await table_.cancel_queued(id));
  auto run = co_await table_.find(id);
  EXPECT_EQ(run.status, RunStatus::cancelled);
  EXPECT_EQ(run.finished_at, clock_.wall_now());
  EXPECT_EQ(run.started_at, std::nullopt);
  EXPECT_EQ(co_await claim(), std::nullopt) << "it is not in the queue any more";
  RunId running = (co_await table_.accept(order(), true)).run.id;
  EXPECT_FALSE(co_await table_.cancel_queued(running));
  EXPECT_FALSE(co_await table_.cancel_queued(RunId::make(clock_.wall_now(), random_)));
  EXPECT_EQ((co_await table_.find(running)).status, RunStatus::running);
}

ASYNC_TEST(RunTableTest, what_a_dead_server_was_running_fails_and_what_was_queued_waits_on) {
  RunId running = (co_await table_.accept(order(), true)).run.id;
  RunId claimed = co_await queue(order());
  EXPECT_EQ(co_await claim(), claimed);
  RunId queued = co_await queue(order());
  clock_.advance(1s);
  EXPECT_EQ(co_await table_.fail_interrupted("the server ended"), 2);
  for (const RunId& id : {running, claimed}) {
    auto run = co_await table_.find(id);
    EXPECT_EQ(run.status, RunStatus::failure);
    EXPECT_EQ(run.error, "the server ended");
    EXPECT_EQ(run.finished_at, clock_.wall_now());
  }
  EXPECT_FALSE(co_await end(running, 1)) << "a late word from before changes nothing";
  EXPECT_EQ((co_await table_.find(queued)).status, RunStatus::queued);
  EXPECT_EQ(co_await claim(), queued);
}

ASYNC_TEST(RunTableTest, a_full_queue_is_the_teams_matter_or_the_servers) {
  for (int run = 0; run < 3; ++run) {
    co_await queue(order());
  }
  auto team_full = co_await outcome_of(table_.accept(order(), false));
  EXPECT_FALSE(team_full.ok());
  EXPECT_EQ(team_full.error().code(), ErrorCode::resource_exhausted);
  EXPECT_TRUE(team_full.error().retry_after());
  co_await queue(order_of_other());
  auto server_full = co_await outcome_of(table_.accept(order_of_other(), false));
  EXPECT_FALSE(server_full.ok());
  EXPECT_EQ(server_full.error().code(), ErrorCode::unavailable);
  EXPECT_TRUE(server_full.error().retry_after());
  EXPECT_EQ(co_await count_runs(), 4);
  EXPECT_EQ((co_await table_.accept(order(), true)).run.status, RunStatus::running)
      << "who has a slot needs no place in the queue";
  EXPECT_TRUE(co_await table_.claim_next());
  co_await queue(order_of_other());
}

ASYNC_TEST(RunTableTest, the_same_key_means_the_same_run) {
  auto first = co_await table_.accept(order("key"), false);
  EXPECT_TRUE(first.is_new);
  auto second = co_await table_.accept(order("key"), true);
  EXPECT_FALSE(second.is_new);
  EXPECT_EQ(second.run.id, first.run.id);
  EXPECT_EQ(second.run.status, RunStatus::queued) << "as it stands, whatever the caller has";
  EXPECT_EQ(co_await count_runs(), 1);
  EXPECT_EQ(co_await claim(), first.run.id);
  EXPECT_TRUE(co_await end(first.run.id, 1));
  auto third = co_await table_.accept(order("key"), true);
  EXPECT_FALSE(third.is_new);
  EXPECT_EQ(third.run.status, RunStatus::success);
}

ASYNC_TEST(RunTableTest, a_key_that_came_with_another_request_is_unprocessable) {
  co_await table_.accept(order("key"), false);
  EXPECT_EQ(co_await refusal_of(order("key", "another"), false), ErrorCode::unprocessable);
  EXPECT_TRUE((co_await table_.accept(order("key 2", "another"), false)).is_new);
  EXPECT_TRUE((co_await table_.accept(order(), false)).is_new);
}

ASYNC_TEST(RunTableTest, keys_are_a_teams_own) {
  co_await table_.accept(order("key"), false);
  StartRun start = order("key", "another");
  start.team = other_;
  auto accepted = co_await table_.accept(start, false);
  EXPECT_TRUE(accepted.is_new);
  EXPECT_EQ(accepted.run.team, other_);
}

ASYNC_TEST(RunTableTest, a_key_finds_its_run_again_though_the_queue_is_full_or_the_task_gone) {
  auto first = co_await table_.accept(order("key"), false);
  co_await queue(order());
  co_await queue(order());
  EXPECT_EQ((co_await table_.accept(order("key"), false)).run.id, first.run.id);
  EXPECT_EQ(co_await refusal_of(order("new key"), false), ErrorCode::resource_exhausted);
  EXPECT_TRUE(co_await table_.claim_next());
  EXPECT_TRUE((co_await table_.accept(order("new key"), false)).is_new)
      << "a refused request did not use its key up";
  co_await database_.write(
      [this](Transaction& tx) { task_table::remove(tx, report_, from_unix_ms(1)); });
  EXPECT_EQ((co_await table_.accept(order("key"), false)).run.id, first.run.id);
}

ASYNC_TEST(RunTableTest, a_run_is_found_by_its_team_and_task_alone) {
  RunId id = co_await queue(order());
  EXPECT_EQ((co_await table_.find(acme_, report_, id)).id, id);
  auto other_team = co_await outcome_of(table_.find(other_, report_, id));
  EXPECT_EQ(other_team.error().code(), ErrorCode::not_found);
  auto other_task = co_await outcome_of(table_.find(acme_, others_report_, id));
  EXPECT_EQ(other_task.error().code(), ErrorCode::not_found);
  auto unknown =
      co_await outcome_of(table_.find(acme_, report_, RunId::make(clock_.wall_now(), random_)));
  EXPECT_EQ(unknown.error().code(), ErrorCode::not_found);
}

ASYNC_TEST(RunTableTest, lists_the_newest_first_in_pages) {
  std::vector<RunId> newest_first;
  for (int run = 0; run < 5; ++run) {
    clock_.advance(1ms);
    auto accepted = co_await table_.accept(order(), true);
    newest_first.insert(newest_first.begin(), accepted.run.id);
  }
  co_await table_.accept(order_of_other(), true);
  std::vector<RunId> listed;
  for (std::int64_t page = 1; page <= 4; ++page) {
    RunPage found = co_await table_.list(acme_, report_, {}, page, 2);
    EXPECT_EQ(found.total, 5) << "of all pages";
    EXPECT_EQ(found.runs.size(), page < 3 ? 2U : page == 3 ? 1U : 0U);
    for (const auto& run : found.runs) {
      listed.push_back(run.id);
    }
  }
  EXPECT_EQ(listed, newest_first);
}

ASYNC_TEST(RunTableTest, lists_no_drafts_and_only_what_the_filter_lets_through) {
  co_await put_version(report_, draft_number, {});
  co_await put_version(report_, 2, {});
  for (const char* version : {"draft", "1", "2", "latest"}) {
    StartRun start = order();
    start.version = *parse_version_selector(version);
    RunId id = (co_await table_.accept(start, true)).run.id;
    if (start.version.kind != VersionSelector::Kind::latest) {
      EXPECT_TRUE(co_await end(id, 1));
    }
  }
  const std::pair<RunFilter, std::int64_t> totals[] = {
      {{}, 3},
      {{.status = RunStatus::success, .version = {}}, 2},
      {{.status = RunStatus::running, .version = {}}, 1},
      {{.status = RunStatus::timeout, .version = {}}, 0},
      {{.status = {}, .version = "2"}, 2},
      {{.status = RunStatus::success, .version = "1"}, 1},
      {{.status = {}, .version = "draft"}, 0},
  };
  for (const auto& [filter, total] : totals) {
    RunPage page = co_await table_.list(acme_, report_, filter, 1, 10);
    EXPECT_EQ(page.total, total);
    EXPECT_EQ(static_cast<std::int64_t>(page.runs.size()), total);
  }
}

ASYNC_TEST(RunTableTest, lists_runs_of_the_teams_own_tasks_only) {
  auto outcome = co_await outcome_of(table_.list(acme_, others_report_, {}, 1, 10));
  EXPECT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::not_found);
  EXPECT_EQ((co_await table_.list(acme_, report_, {}, 1, 10)).total, 0);
}

ASYNC_TEST(RunTableTest, log_pieces_come_in_their_order_with_the_last_ones_behind) {
  RunId id = (co_await table_.accept(order(), true)).run.id;
  EXPECT_TRUE((co_await table_.log_pieces(id)).empty());
  for (std::int64_t piece = 0; piece < 12; ++piece) {
    co_await table_.append_log(id, piece, std::to_string(piece));
  }
  EXPECT_TRUE(co_await table_.finish(
      {id, 1}, {.status = RunStatus::success, .output = {}, .error = {}}, {}, "12"));
  auto pieces = co_await table_.log_pieces(id);
  EXPECT_EQ(pieces.size(), 13U);
  for (std::size_t piece = 0; piece < pieces.size(); ++piece) {
    EXPECT_EQ(pieces[piece], std::to_string(piece));
  }
}

}  // namespace capstan
