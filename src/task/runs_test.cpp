#include "task/runs.h"

#include <algorithm>
#include <latch>
#include <set>

#include "session/sessions_test.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

// The parts that the tests' code is made of.
const std::string go_through_door =
    "const call = async (path) => (await fetch(process.env.ANCHORBROWSER_BASE_URL + path)).text();";

std::string task(const std::string& body) {
  return go_through_door + "export default async ({ inputs, signal }) => {" + body + "};";
}

const std::string never = "await new Promise(() => {});";

Async<> keep_run(Async<Run> work, std::optional<Run>* run) {
  run->emplace(co_await std::move(work));
}

Async<> keep_outcome(Async<> work, std::optional<Outcome<void>>* outcome) {
  outcome->emplace(co_await outcome_of(std::move(work)));
}

// Keeps the writer busy until the gate is open.
Async<> hold_writer(Database* database, std::shared_ptr<std::latch> gate) {
  co_await database->write([gate](Transaction&) { gate->wait(); });
}

const std::string ends_of_runs = "update on runs when new.status not in ('queued', 'running')";
const std::string claims = "update on runs when new.status = 'running'";

}  // namespace

// Besides, real Node processes. The test plays what is behind the doors: a call is answered at
// once, but for those of `held_`, which wait until let_go().
class RunsTest : public SessionsTest {
 public:
  using Run = capstan::Run;  // and not gtest's

  void run(Async<> body) { SessionsTest::run(live(std::move(body))); }

  Async<> live(Async<> body) {
    EXPECT_EQ(runtime_.trouble(), "");
    auto outcome = co_await outcome_of(std::move(body));
    co_await refuse_no_more();
    co_await cage_.close();  // a run whose process has gone ends by itself
    if (runs_) {
      co_await runs_->close(0s);
    }
    co_await runners_.close();
    std::move(outcome).take();
  }

  Async<> start(RunLimits limits = {}) {
    runs_ = std::make_unique<Runs>(executor(), clock_, random_, database_, cage_, runners_,
                                   sessions_, exits_, metrics_, limits);
    co_await runs_->start([this](Request request, Caller caller) {
      return answer(std::move(request), std::move(caller));
    });
    co_await writes_done();  // the queue was looked into
  }

  // A task of this name whose version 1 is this code, bundled already.
  Async<> add_task(std::string name, std::string code) {
    WallTime now = clock_.wall_now();
    Task task{.id = TaskId::make(now, random_),
              .team = acme_,
              .name = name,
              .description = {},
              .browser_configuration = {},
              .created_at = now,
              .updated_at = now,
              .latest = {}};
    TaskVersion version{.id = TaskVersionId::make(now, random_),
                        .task = task.id,
                        .number = 1,
                        .code = "",
                        .bundle_hash = "hash of " + name,
                        .language = "typescript",
                        .description = {},
                        .browser_configuration = {},
                        .created_at = now,
                        .updated_at = now};
    co_await database_.write([=](Transaction& tx) {
      task_table::insert(tx, task);
      task_table::put_bundle(tx, version.bundle_hash, code);
      task_table::put_version(tx, version);
    });
  }

  Async<Run> accept(std::string name, std::map<std::string, std::string> inputs = {}) {
    StartRun start{.team = acme_,
                   .task = std::move(name),
                   .version = {},
                   .settings = {},
                   .idempotency_key = {},
                   .request_hash = {}};
    start.settings.inputs = std::move(inputs);
    clock_.advance(1ms);  // who comes later is later
    return soon(runs_->accept(std::move(start)));
  }

  Async<Run> end_of(RunId id) {
    Run run = co_await soon(runs_->wait(std::move(id)));
    co_return co_await runs_->with_output(std::move(run));
  }
  Async<Run> stored(RunId id) {
    RunTable table(database_, clock_, random_, exits_, {});
    co_return co_await table.with_output(co_await table.find(id));
  }

  // Returns once somebody has called at this path.
  Async<> called(std::string path) { return soon(call_of(std::move(path))); }
  Async<> call_of(std::string path) {
    while (std::ranges::find(calls_, path) == calls_.end()) {
      came_.clear();
      co_await came_.wait();
    }
  }
  void let_go(const std::string& path) {
    held_.erase(path);
    let_go_.set();
  }

  Async<Response> answer(Request request, Caller caller) {
    EXPECT_EQ(caller.team, acme_);
    callers_.push_back(caller.run);
    calls_.push_back(request.path);
    came_.set();
    while (held_.contains(request.path)) {
      let_go_.clear();
      co_await let_go_.wait();
    }
    Response response;
    response.body = "answer to " + request.path;
    co_return response;
  }

  // To look into the queue takes a slot too, so that is waited for.
  Async<std::size_t> slots_in_use() {
    co_await writes_done();
    co_return runs_->running_count();
  }

  // Returns once the processes of all runs have ended, and what they said has been taken.
  Async<> processes_gone() {
    while (cage_.child_count() > 0) {
      co_await writes_done();
    }
    co_await writes_done();
  }

 protected:
  NodeRuntime runtime_{.runner_folder = CAPSTAN_RUNNER_FOLDER, .compile_cache = {}};
  Runners runners_{executor(), clock_, cage_, runtime_, metrics_, {.warm = 0}};
  std::unique_ptr<Runs> runs_;
  std::set<std::string> held_;
  std::vector<std::string> calls_;
  std::vector<std::string> callers_;
  Event came_{executor()};
  Event let_go_{executor()};
};

ASYNC_TEST(RunsTest, a_run_returns_its_value_and_its_row_says_so) {
  co_await add_task("report", task("console.log('a line');"
                                   "return [inputs.COLOUR, await call('/here')];"));
  co_await start();
  Run accepted = co_await accept("report", {{"COLOUR", "blue"}});
  Run ended = co_await end_of(accepted.id);
  for (const Run& told : {ended, co_await stored(accepted.id)}) {
    EXPECT_EQ(told.id, accepted.id);
    EXPECT_EQ(told.status, RunStatus::success);
    EXPECT_EQ(told.output, R"(["blue","answer to /here"])");
    EXPECT_EQ(told.error, std::nullopt);
    EXPECT_EQ(told.session_ids, std::vector<std::string>());
    EXPECT_EQ(told.finished_at, clock_.wall_now());
  }
  EXPECT_EQ(callers_, std::vector{accepted.id.text()});
  json::array log = co_await runs_->stored_log(accepted.id);
  EXPECT_EQ(log.size(), 1U);
  EXPECT_EQ(log.at(0).at("text").as_string(), "a line");
  EXPECT_EQ(co_await slots_in_use(), 0U);
}

ASYNC_TEST(RunsTest, code_that_throws_fails_its_run_and_no_other) {
  co_await add_task("broken", task("throw new Error('no such page');"));
  co_await add_task("report", task("return 1;"));
  co_await start();
  Run broken = co_await accept("broken");
  Run report = co_await accept("report");
  broken = co_await end_of(broken.id);
  EXPECT_EQ(broken.status, RunStatus::failure);
  EXPECT_NE(broken.error.value().find("no such page"), std::string::npos);
  EXPECT_EQ((co_await end_of(report.id)).status, RunStatus::success);
}

ASYNC_TEST(RunsTest, a_session_that_a_run_opens_ends_with_it) {
  co_await soon(browsers_.start());
  held_ = {"/here"};
  co_await add_task("report", task("await call('/here');"));
  co_await start();
  Run run = co_await accept("report");
  co_await called("/here");
  auto sessions = sessions_.running_of(acme_);
  EXPECT_EQ(sessions.size(), 1U);
  EXPECT_EQ(sessions.at(0).run, run.id.text());
  auto session = sessions_.running(acme_, sessions.at(0).id);
  co_await soon(session->use());
  let_go("/here");
  run = co_await end_of(run.id);
  EXPECT_EQ(run.session_ids, std::vector{session->id().text()});
  EXPECT_EQ(session->status(), SessionStatus::completed);
  co_await soon(session->ended());
  EXPECT_EQ((co_await row_of(session->id())).value().run, run.id.text());
}

ASYNC_TEST(RunsTest, the_queue_goes_on_after_claims_were_refused) {
  held_ = {"/first"};
  co_await add_task("first", task("await call('/first');"));
  co_await add_task("second", task("return await call('/second');"));
  co_await start({.running_max = 1, .queue = {}});
  Run first = co_await accept("first");
  co_await called("/first");
  Run second = co_await accept("second");
  EXPECT_EQ(second.status, RunStatus::queued);
  co_await writes_done();
  co_await refuse(claims);
  let_go("/first");
  co_await end_of(first.id);
  for (int time = 0; time < 3; ++time) {
    co_await let_pass(1min);
    co_await writes_done();
    EXPECT_EQ((co_await stored(second.id)).status, RunStatus::queued);
  }
  co_await refuse_no_more();
  co_await let_pass(1min);
  EXPECT_EQ((co_await end_of(second.id)).output, R"("answer to /second")");
  EXPECT_EQ(co_await slots_in_use(), 0U);
  Run third = co_await accept("second");
  EXPECT_EQ((co_await end_of(third.id)).status, RunStatus::success);
}

ASYNC_TEST(RunsTest, a_run_whose_end_is_refused_stays_open_until_it_is_stored) {
  held_ = {"/here"};
  co_await add_task("report", task("console.log('a line'); await call('/here'); return 42;"));
  co_await start();
  Run run = co_await accept("report");
  co_await called("/here");
  Scope scope(executor(), "test");
  std::optional<Run> told;
  scope.spawn(keep_run(runs_->wait(run.id), &told));
  co_await refuse(ends_of_runs);
  let_go("/here");
  co_await soon(processes_gone());
  for (int time = 0; time < 3; ++time) {
    EXPECT_FALSE(told);
    EXPECT_EQ((co_await stored(run.id)).status, RunStatus::running);
    co_await let_pass(1min);
    co_await writes_done();
  }
  co_await refuse_no_more();
  co_await let_pass(1min);
  co_await soon(scope.drain());
  EXPECT_EQ(told.value().status, RunStatus::success);
  Run end = co_await stored(run.id);
  EXPECT_EQ(end.status, RunStatus::success);
  EXPECT_EQ(end.output, "42");
  EXPECT_EQ((co_await runs_->stored_log(run.id)).size(), 1U);
  EXPECT_EQ(co_await slots_in_use(), 0U);
}

ASYNC_TEST(RunsTest, log_lines_that_are_refused_for_a_while_are_kept) {
  held_ = {"/first", "/second", "/third"};
  co_await add_task("report", task("for (const path of ['/first', '/second', '/third']) {"
                                   "  console.log(path);"
                                   "  await call(path);"
                                   "}"
                                   "return 'done';"));
  co_await start();
  Run run = co_await accept("report");
  co_await refuse("insert on run_logs");
  for (const char* path : {"/first", "/second"}) {
    co_await called(path);
    co_await let_pass(10s);
    co_await writes_done();
    let_go(path);
  }
  co_await called("/third");
  EXPECT_TRUE((co_await runs_->stored_log(run.id)).empty());
  co_await refuse_no_more();
  co_await let_pass(1min);
  co_await writes_done();
  EXPECT_EQ((co_await runs_->stored_log(run.id)).size(), 3U);
  let_go("/third");
  run = co_await end_of(run.id);
  EXPECT_EQ(run.status, RunStatus::success);
  EXPECT_EQ(run.output, R"("done")");
  json::array log = co_await runs_->stored_log(run.id);
  EXPECT_EQ(log.size(), 3U);
  EXPECT_EQ(log.at(0).at("text").as_string(), "/first");
  EXPECT_EQ(log.at(1).at("text").as_string(), "/second");
  EXPECT_EQ(log.at(2).at("text").as_string(), "/third");
}

ASYNC_TEST(RunsTest, code_of_a_run_that_is_cancelled_before_it_has_a_process_never_runs) {
  co_await add_task("report", task("await call('/here');"));
  co_await start();
  Run run = co_await accept("report");
  co_await soon(runs_->cancel(acme_, run.task, run.id));
  for (const Run& told : {co_await end_of(run.id), co_await stored(run.id)}) {
    EXPECT_EQ(told.status, RunStatus::cancelled);
  }
  co_await soon(runs_->close(0s));
  EXPECT_EQ(calls_, std::vector<std::string>());
}

ASYNC_TEST(RunsTest, code_that_does_not_stop_when_its_run_is_cancelled_is_stopped) {
  co_await add_task("report", task("signal.onabort = () => call('/told');"
                                   "await call('/here');" +
                                   never));
  co_await start();
  Run run = co_await accept("report");
  co_await called("/here");
  Scope scope(executor(), "test");
  std::optional<Outcome<void>> cancelled;
  scope.spawn(keep_outcome(runs_->cancel(acme_, run.task, run.id), &cancelled));
  co_await called("/told");
  co_await settle();
  EXPECT_FALSE(cancelled);
  co_await let_pass(2s);
  co_await soon(scope.drain());
  EXPECT_TRUE(cancelled.value().ok());
  EXPECT_EQ((co_await stored(run.id)).status, RunStatus::cancelled);
  co_await soon(processes_gone());
}

ASYNC_TEST(RunsTest, to_cancel_a_run_that_has_ended_by_itself_is_a_conflict) {
  held_ = {"/here"};
  co_await add_task("report", task("await call('/here'); return 42;"));
  co_await start();
  Run run = co_await accept("report");
  co_await called("/here");
  co_await refuse(ends_of_runs);
  let_go("/here");
  co_await soon(processes_gone());  // its code has ended, though its row can't say so yet
  Scope scope(executor(), "test");
  std::optional<Outcome<void>> cancelled;
  scope.spawn(keep_outcome(runs_->cancel(acme_, run.task, run.id), &cancelled));
  co_await writes_done();
  co_await refuse_no_more();
  co_await let_pass(1min);
  co_await soon(scope.drain());
  EXPECT_EQ((co_await stored(run.id)).status, RunStatus::success);
  for (int time = 0; time < 2; ++time) {
    EXPECT_FALSE(cancelled.value().ok());
    EXPECT_TRUE(cancelled->ok() || cancelled->error().code() == ErrorCode::conflict);
    co_await keep_outcome(soon(runs_->cancel(acme_, run.task, run.id)), &cancelled);
  }
}

ASYNC_TEST(RunsTest, a_run_that_takes_too_long_ends_as_timeout) {
  co_await add_task("report", task("await call('/here');" + never));
  co_await start({.queue = {}, .run_time_max = 1h});
  Run run = co_await accept("report");
  co_await called("/here");
  co_await let_pass(1h - 1ms);
  co_await writes_done();
  EXPECT_EQ((co_await stored(run.id)).status, RunStatus::running);
  co_await let_pass(1ms);
  run = co_await end_of(run.id);
  EXPECT_EQ(run.status, RunStatus::timeout);
  EXPECT_EQ(run.error, "the task did not end within 3600000 ms");
  EXPECT_EQ(run.finished_at.value() - run.started_at.value(), 1h);
  co_await soon(processes_gone());
}

ASYNC_TEST(RunsTest, closing_lets_runs_finish_for_a_while_and_then_ends_them) {
  held_ = {"/quick"};
  co_await add_task("quick", task("return await call('/quick');"));
  co_await add_task("slow", task("signal.onabort = () => call('/told');"
                                 "await call('/slow');" +
                                 never));
  co_await start();
  Run quick = co_await accept("quick");
  Run slow = co_await accept("slow");
  co_await called("/quick");
  co_await called("/slow");
  Scope scope(executor(), "test");
  std::optional<Outcome<void>> closed;
  scope.spawn(keep_outcome(runs_->close(25s), &closed));
  co_await let_pass(24s);
  let_go("/quick");
  quick = co_await end_of(quick.id);
  EXPECT_EQ(quick.status, RunStatus::success);
  EXPECT_EQ((co_await stored(slow.id)).status, RunStatus::running);
  co_await let_pass(1s);
  co_await called("/told");
  EXPECT_FALSE(closed);
  co_await let_pass(2s);
  slow = co_await end_of(slow.id);
  EXPECT_EQ(slow.status, RunStatus::failure);
  EXPECT_EQ(slow.error, "server shutdown");
  co_await soon(scope.drain());
  EXPECT_TRUE(closed.value().ok());
  EXPECT_EQ(cage_.child_count(), 0U);
}

ASYNC_TEST(RunsTest, from_its_closing_on_none_is_accepted_and_the_queued_stay_queued) {
  held_ = {"/first"};
  co_await add_task("first", task("await call('/first');"));
  co_await add_task("second", task("await call('/second');"));
  co_await start({.running_max = 1, .queue = {}});
  Run first = co_await accept("first");
  co_await called("/first");
  Run second = co_await accept("second");
  Scope scope(executor(), "test");
  std::optional<Run> told;
  scope.spawn(keep_run(runs_->wait(second.id), &told));
  co_await writes_done();
  scope.spawn(runs_->close(25s));
  co_await settle();
  auto refused = co_await outcome_of(accept("second"));
  EXPECT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::unavailable);
  let_go("/first");
  co_await soon(scope.drain());
  EXPECT_EQ(told.value().status, RunStatus::queued);
  EXPECT_EQ((co_await stored(first.id)).status, RunStatus::success);
  EXPECT_EQ((co_await stored(second.id)).status, RunStatus::queued);
  EXPECT_EQ(calls_, std::vector<std::string>{"/first"});
}

ASYNC_TEST(RunsTest, a_run_whose_row_is_written_while_the_server_begins_to_close_stays_queued) {
  co_await add_task("report", task("await call('/here');"));
  co_await start();
  Scope scope(executor(), "test");
  auto gate = std::make_shared<std::latch>(1);
  scope.spawn(hold_writer(&database_, gate));
  std::optional<Run> accepted;
  scope.spawn(keep_run(accept("report"), &accepted));
  co_await settle();
  EXPECT_FALSE(accepted);
  scope.spawn(runs_->close(25s));
  co_await settle();
  gate->count_down();
  co_await soon(scope.drain());
  co_await soon(runs_->close(0s));
  EXPECT_EQ((co_await stored(accepted.value().id)).status, RunStatus::queued);
  EXPECT_EQ(calls_, std::vector<std::string>());
  EXPECT_EQ(co_await slots_in_use(), 0U);
}

ASYNC_TEST(RunsTest, none_is_accepted_where_the_isolation_is_below_the_minimum) {
  co_await add_task("report", task("await call('/here');"));
  co_await start({.queue = {}, .isolation_min = IsolationLevel::strict});
  EXPECT_TRUE(runs_->trouble().value_or("").starts_with("isolation is none, below the minimum"));
  auto refused = co_await outcome_of(accept("report"));
  EXPECT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::unavailable);
  EXPECT_NE(refused.error().message().find("isolation is none"), std::string::npos);
  co_await runs_->close(0s);

  co_await start({.queue = {}, .isolation_min = IsolationLevel::none});
  EXPECT_EQ(runs_->trouble(), std::nullopt);
  Run run = co_await accept("report");
  EXPECT_EQ((co_await end_of(run.id)).status, RunStatus::success);
}

}  // namespace capstan
