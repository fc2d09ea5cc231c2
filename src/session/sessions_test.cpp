#include "session/sessions_test.h"

#include <csignal>

namespace capstan {

using namespace std::chrono_literals;

Async<> SessionsTest::make_teams() {
  co_await database_.write([this](Transaction& tx) {
    for (const auto& [id, name] : {std::pair(acme_, "acme"), std::pair(other_, "other")}) {
      tx.execute("insert into teams (id, name, created_at) values ($1, $2, 0)",
                 {id.text(), std::string(name)});
    }
  });
}

Async<> SessionsTest::live(Async<> body) {
  co_await make_teams();
  auto outcome = co_await outcome_of(std::move(body));
  co_await refuse_no_more();
  co_await sessions_.close();
  co_await browsers_.close();
  co_await cage_.close();
  std::move(outcome).take();
}

SessionOrder SessionsTest::order(SessionConfig config, std::string run_id) const {
  return {.team = acme_,
          .config = std::move(config),
          .kind = BrowserKind::headless,
          .run = std::move(run_id)};
}

Async<std::shared_ptr<Session>> SessionsTest::open(SessionOrder order) {
  if (browsers_.version().empty()) {
    co_await soon(browsers_.start());
  }
  co_return co_await soon(sessions_.open(std::move(order)));
}

Async<std::optional<SessionRow>> SessionsTest::row_of(SessionId id) {
  SessionTable table(database_);
  co_return co_await table.find(acme_, id);
}

Async<> SessionsTest::refuse(std::string writes) {
  co_await database_.write([writes](Transaction& tx) {
    tx.execute("create trigger refusal before " + writes +
                   " begin select raise(abort, 'refused by the test'); end",
               {});
  });
}

Async<> SessionsTest::refuse_no_more() {
  co_await database_.write(
      [](Transaction& tx) { tx.execute("drop trigger if exists refusal", {}); });
}

Async<> SessionsTest::writes_done() {
  co_await settle();
  co_await database_.write([](Transaction&) {});
  co_await settle();
}

namespace {

struct Clocks {
  std::int64_t max_duration_min;
  std::int64_t idle_timeout_min;
};

SessionConfig with(Clocks clocks) {
  SessionConfig config;
  config.max_duration_min = clocks.max_duration_min;
  config.idle_timeout_min = clocks.idle_timeout_min;
  return config;
}

Async<> set_when_done(Async<> work, bool* done) {
  co_await std::move(work);
  *done = true;
}

}  // namespace

ASYNC_TEST(SessionsTest, ends_when_nobody_has_used_it_for_its_idle_timeout) {
  auto session = co_await open(order(with({.max_duration_min = -1, .idle_timeout_min = 3})));
  WallTime opened = clock_.wall_now();
  co_await let_pass(3min - 1ms);
  EXPECT_EQ(session->status(), SessionStatus::running);
  co_await let_pass(1ms);
  co_await soon(session->ended());
  EXPECT_EQ(session->status(), SessionStatus::idle_timeout);
  EXPECT_EQ(session->ended_at(), opened + 3min);
  auto row = co_await row_of(session->id());
  EXPECT_EQ(row.value().status, SessionStatus::idle_timeout);
  EXPECT_EQ(row.value().created_at, opened);
  EXPECT_EQ(row.value().ended_at, opened + 3min);
}

ASYNC_TEST(SessionsTest,
           its_idle_clock_stands_while_it_is_used_and_starts_anew_after_the_last_use) {
  auto session = co_await open(order(with({.max_duration_min = -1, .idle_timeout_min = 3})));
  co_await let_pass(2min);
  auto first = co_await session->use();
  auto second = co_await session->use();
  co_await let_pass(24h);
  first.reset();
  co_await let_pass(24h);
  EXPECT_EQ(session->status(), SessionStatus::running);
  second.reset();
  co_await let_pass(3min - 1ms);
  EXPECT_EQ(session->status(), SessionStatus::running);
  // A short use between two looks at the clock counts like a long one.
  (co_await session->use()).reset();
  co_await let_pass(3min - 1ms);
  EXPECT_EQ(session->status(), SessionStatus::running);
  co_await let_pass(1ms);
  co_await soon(session->ended());
  EXPECT_EQ(session->status(), SessionStatus::idle_timeout);
  EXPECT_EQ((co_await row_of(session->id())).value().ended_at, clock_.wall_now());
}

ASYNC_TEST(SessionsTest, ends_at_its_max_duration_even_while_it_is_used) {
  auto session = co_await open(order(with({.max_duration_min = 20, .idle_timeout_min = 3})));
  WallTime due = clock_.wall_now() + 20min;
  EXPECT_EQ(session->expires_at(), due);
  auto use = co_await session->use();
  co_await let_pass(20min - 1ms);
  EXPECT_EQ(session->status(), SessionStatus::running);
  co_await let_pass(1ms);
  co_await soon(session->ended());
  EXPECT_EQ(session->status(), SessionStatus::max_duration);
  EXPECT_EQ(session->expires_at(), std::nullopt);
  // Its browser is gone, but not from under the hands of its user.
  co_await soon(use->browser().gone());
  EXPECT_TRUE(use->browser().is_gone());
  auto row = co_await row_of(session->id());
  EXPECT_EQ(row.value().status, SessionStatus::max_duration);
  EXPECT_EQ(row.value().ended_at, due);
}

ASYNC_TEST(SessionsTest, minus_one_switches_either_clock_off) {
  auto unidle = co_await open(order(with({.max_duration_min = 20, .idle_timeout_min = -1})));
  co_await let_pass(20min - 1ms);
  EXPECT_EQ(unidle->status(), SessionStatus::running);
  co_await let_pass(1ms);
  co_await soon(unidle->ended());
  EXPECT_EQ(unidle->status(), SessionStatus::max_duration);

  auto endless = co_await open(order(with({.max_duration_min = -1, .idle_timeout_min = -1})));
  EXPECT_EQ(endless->expires_at(), std::nullopt);
  co_await let_pass(7 * 24h);
  EXPECT_EQ(endless->status(), SessionStatus::running);
  EXPECT_FALSE((co_await endless->use())->browser().is_gone());
}

ASYNC_TEST(SessionsTest, its_end_is_told_from_the_moment_it_is_asked_to_end) {
  auto session = co_await open(order());
  SessionId id = session->id();
  EXPECT_EQ(sessions_.running(acme_, id), session);
  EXPECT_EQ(sessions_.by_token(id, session->token()), session);
  EXPECT_EQ(sessions_.running_of(acme_).size(), 1U);
  clock_.advance(1min);
  WallTime asked = clock_.wall_now();
  session->stop(SessionStatus::completed);

  EXPECT_EQ(session->status(), SessionStatus::completed);
  EXPECT_EQ(session->ended_at(), asked);
  EXPECT_EQ(session->expires_at(), std::nullopt);
  auto running = outcome_of_call([&] { return sessions_.running(acme_, id); });
  EXPECT_FALSE(running.ok());
  EXPECT_EQ(running.error().code(), ErrorCode::not_found);
  EXPECT_EQ(sessions_.by_token(id, session->token()), nullptr);
  EXPECT_TRUE(sessions_.running_of(acme_).empty());
  auto use = co_await outcome_of(session->use());
  EXPECT_FALSE(use.ok());
  EXPECT_EQ(use.error().code(), ErrorCode::not_found);
  SessionView view = co_await sessions_.view(acme_, id);
  EXPECT_EQ(view.status, SessionStatus::completed);
  EXPECT_EQ(view.ended_at, asked);
}

ASYNC_TEST(SessionsTest, the_first_reason_to_end_counts) {
  auto session = co_await open(order());
  WallTime asked = clock_.wall_now();
  session->stop(SessionStatus::completed);
  clock_.advance(24h);
  session->stop(SessionStatus::crashed);
  co_await soon(session->ended());
  EXPECT_EQ(session->status(), SessionStatus::completed);
  EXPECT_EQ(session->ended_at(), asked);
  auto row = co_await row_of(session->id());
  EXPECT_EQ(row.value().status, SessionStatus::completed);
  EXPECT_EQ(row.value().ended_at, asked);
}

ASYNC_TEST(SessionsTest, one_whose_chromium_is_killed_has_crashed) {
  auto session = co_await open(order());
  {
    auto use = co_await session->use();
    json::object answer =
        co_await soon(use->browser().devtools().call("SystemInfo.getProcessInfo"));
    pid_t chromium = 0;
    for (const json::value& process : answer.at("processInfo").as_array()) {
      if (process.at("type").as_string() == "browser") {
        chromium = process.at("id").to_number<pid_t>();
      }
    }
    EXPECT_GT(chromium, 1);
    EXPECT_EQ(::kill(chromium, SIGKILL), 0);
  }
  co_await soon(session->ended());
  EXPECT_EQ(session->status(), SessionStatus::crashed);
  EXPECT_EQ((co_await row_of(session->id())).value().status, SessionStatus::crashed);
}

ASYNC_TEST(SessionsTest, one_whose_client_closes_the_browser_is_completed) {
  auto session = co_await open(order());
  {
    auto use = co_await session->use();
    auto party = co_await soon(use->browser().devtools().join_browser());
    co_await soon(party->send(R"({"id":1,"method":"Browser.close"})"));
  }
  co_await soon(session->ended());
  EXPECT_EQ(session->status(), SessionStatus::completed);
  EXPECT_EQ((co_await row_of(session->id())).value().status, SessionStatus::completed);
}

ASYNC_TEST(SessionsTest, whoever_is_told_that_one_has_ended_may_open_the_next) {
  auto first = co_await open(order());
  auto refused = sessions_.prepare(order());
  auto use = co_await outcome_of(soon(refused->use()));
  EXPECT_FALSE(use.ok());
  EXPECT_EQ(use.error().code(), ErrorCode::unavailable);
  co_await soon(refused->ended());
  EXPECT_FALSE(co_await row_of(refused->id()));

  co_await soon(sessions_.end(acme_, first->id()));
  EXPECT_EQ(sessions_.open_count(), 0U);
  auto second = co_await open(order());
  EXPECT_EQ(second->status(), SessionStatus::running);
  EXPECT_EQ(sessions_.open_count(), 1U);
}

ASYNC_TEST(SessionsTest, one_that_never_opened_leaves_no_row) {
  auto session = sessions_.prepare(order());
  co_await let_pass(7 * 24h);  // nothing runs out before it opens
  EXPECT_EQ(session->status(), SessionStatus::running);
  EXPECT_EQ(sessions_.open_count(), 0U);
  session->stop(SessionStatus::completed);
  co_await soon(session->ended());
  co_await settle();
  EXPECT_FALSE(co_await row_of(session->id()));
  auto view = co_await outcome_of(sessions_.view(acme_, session->id()));
  EXPECT_FALSE(view.ok());
  EXPECT_EQ(view.error().code(), ErrorCode::not_found);
}

ASYNC_TEST(SessionsTest, a_runs_sessions_end_with_it_and_no_others) {
  auto opened = co_await open(order({}, "its run"));
  auto unopened = sessions_.prepare(order({}, "its run"));
  auto others = sessions_.prepare(order({}, "another run"));
  auto callers = sessions_.prepare(order());
  EXPECT_EQ(sessions_.opened_by_run("its run"), std::vector{opened->id()});

  sessions_.end_unopened_of_run("its run");
  co_await soon(unopened->ended());
  EXPECT_EQ(opened->status(), SessionStatus::running);
  sessions_.end_all_of_run("its run");
  co_await soon(opened->ended());
  EXPECT_EQ((co_await row_of(opened->id())).value().status, SessionStatus::completed);
  EXPECT_EQ((co_await row_of(opened->id())).value().run, "its run");
  EXPECT_EQ(others->status(), SessionStatus::running);
  EXPECT_EQ(callers->status(), SessionStatus::running);
}

ASYNC_TEST(SessionsTest, another_team_neither_sees_nor_ends_it) {
  auto session = sessions_.prepare(order());
  auto running = outcome_of_call([&] { return sessions_.running(other_, session->id()); });
  EXPECT_FALSE(running.ok());
  EXPECT_EQ(running.error().code(), ErrorCode::not_found);
  auto ended = co_await outcome_of(sessions_.end(other_, session->id()));
  EXPECT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().code(), ErrorCode::not_found);
  co_await sessions_.end_all(other_);
  EXPECT_TRUE(sessions_.running_of(other_).empty());
  EXPECT_EQ(session->status(), SessionStatus::running);
}

ASYNC_TEST(SessionsTest, knows_the_proxy_that_it_leaves_through) {
  EXPECT_EQ(sessions_.prepare(order())->upstream(), std::nullopt);
  SessionConfig config;
  config.proxy = {.active = true, .proxy = AnchorProxy{{"de"}}};
  auto exit = sessions_.prepare(order(config))->upstream();
  EXPECT_EQ(exit.value().host, "exit.example");
  config.proxy = {.active = true, .proxy = AnchorProxy{{"fr"}}};
  auto nowhere = outcome_of_call([&] { return sessions_.prepare(order(config)); });
  EXPECT_FALSE(nowhere.ok());
  EXPECT_EQ(nowhere.error().code(), ErrorCode::invalid_argument);
  co_return;
}

ASYNC_TEST(SessionsTest, a_proxys_password_is_opened_for_its_own_team_and_is_in_no_row) {
  SessionConfig config;
  config.proxy = {.active = true,
                  .proxy = CustomProxy{
                      .server = {.host = "proxy.example", .port = 1, .username = "u"},
                      .password = sealing_for(acme_, sealer_)("hunter2"),
                  }};
  auto session = co_await open(order(config));
  EXPECT_EQ(session->upstream().value().password, "hunter2");
  json::object told = (co_await row_of(session->id())).value().configuration;
  EXPECT_EQ(told.at("session").at("proxy").at("username"), "u");
  EXPECT_FALSE(told.at("session").at("proxy").as_object().contains("password"));
  SessionOrder foreign = order(config);
  foreign.team = other_;
  auto outcome = outcome_of_call([&] { return sessions_.prepare(foreign); });
  EXPECT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::internal);
}

ASYNC_TEST(SessionsTest, one_whose_row_is_refused_does_not_open_and_keeps_nothing) {
  co_await refuse("insert on sessions");
  auto outcome = co_await outcome_of(open(order()));
  EXPECT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::unavailable);
  EXPECT_EQ(sessions_.open_count(), 0U);
  EXPECT_EQ(cage_.child_count(), 0U);
  co_await refuse_no_more();
  EXPECT_EQ((co_await open(order()))->status(), SessionStatus::running);
}

ASYNC_TEST(SessionsTest, one_whose_end_is_refused_ends_and_is_stored_when_that_is_possible_again) {
  auto session = co_await open(order());
  co_await refuse("update on sessions");
  WallTime asked = clock_.wall_now();
  session->stop(SessionStatus::completed);
  co_await soon(session->ended());
  EXPECT_EQ(sessions_.open_count(), 0U);
  auto next = co_await open(order());
  EXPECT_EQ(next->status(), SessionStatus::running);

  for (int time = 0; time < 3; ++time) {
    co_await let_pass(1min);
    co_await writes_done();
    EXPECT_EQ((co_await row_of(session->id())).value().status, SessionStatus::running);
  }
  co_await refuse_no_more();
  co_await let_pass(1min);
  co_await writes_done();
  auto row = co_await row_of(session->id());
  EXPECT_EQ(row.value().status, SessionStatus::completed);
  EXPECT_EQ(row.value().ended_at, asked);
  EXPECT_EQ((co_await row_of(next->id())).value().status, SessionStatus::running);
}

ASYNC_TEST(SessionsTest, closing_does_not_wait_for_a_database_that_refuses) {
  auto session = co_await open(order());
  co_await refuse("update on sessions");
  co_await soon(sessions_.close());
  EXPECT_EQ(session->status(), SessionStatus::stopped);
  EXPECT_EQ(cage_.child_count(), 0U);
  // The next server ends what this one could not.
  co_await refuse_no_more();
  co_await sessions_.start();
  EXPECT_EQ((co_await row_of(session->id())).value().status, SessionStatus::stopped);
}

ASYNC_TEST(SessionsTest, from_its_closing_on_none_is_opened) {
  auto session = co_await open(order());
  auto use = co_await session->use();
  Scope scope(executor(), "test");
  bool closed = false;
  scope.spawn(set_when_done(sessions_.close(), &closed));
  co_await soon(session->ended());
  EXPECT_EQ(session->status(), SessionStatus::stopped);
  for (bool expected : {false, true}) {
    EXPECT_EQ(closed, expected);
    auto prepared = outcome_of_call([&] { return sessions_.prepare(order()); });
    EXPECT_FALSE(prepared.ok());
    EXPECT_TRUE(prepared.ok() || prepared.error().code() == ErrorCode::unavailable);
    auto opened = co_await outcome_of(soon(sessions_.open(order())));
    EXPECT_FALSE(opened.ok());
    EXPECT_TRUE(opened.ok() || opened.error().code() == ErrorCode::unavailable);
    co_await sessions_.end_all(acme_);  // what got in all the same
    use.reset();
    co_await soon(scope.drain());
  }
  EXPECT_EQ((co_await row_of(session->id())).value().status, SessionStatus::stopped);
  EXPECT_EQ(cage_.child_count(), 0U);
}

}  // namespace capstan
