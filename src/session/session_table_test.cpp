#include "session/session_table.h"

#include "base/random.h"
#include "io/loop_test.h"

namespace capstan {

using namespace std::chrono_literals;

class SessionTableTest : public LoopTest {
 public:
  SessionTableTest() {
    run(make_teams());
    context_.restart();
  }

  Async<> make_teams() {
    co_await database_.write([this](Transaction& tx) {
      for (const auto& [id, name] : {std::pair(acme_, "acme"), std::pair(other_, "other")}) {
        tx.execute("insert into teams (id, name, created_at) values ($1, $2, 0)",
                   {id.text(), std::string(name)});
      }
    });
  }

  Async<SessionId> add(std::string run_id = {}) {
    SessionRow row{.id = SessionId::make(clock_.wall_now(), random_),
                   .team = acme_,
                   .run = std::move(run_id),
                   .status = SessionStatus::running,
                   .configuration = {{"tags", json::array{"a"}}},
                   .created_at = clock_.wall_now(),
                   .ended_at = {}};
    co_await table_.insert(row);
    co_return row.id;
  }

 protected:
  static constexpr std::uint64_t seed = 5;
  testing::ScopedTrace trace_{__FILE__, __LINE__, "seed " + std::to_string(seed)};
  Database database_{{}};
  SeededRandom random_{seed};
  const TeamId acme_ = TeamId::make(from_unix_ms(0), random_);
  const TeamId other_ = TeamId::make(from_unix_ms(0), random_);
  SessionTable table_{database_};
};

ASYNC_TEST(SessionTableTest, a_row_comes_back_as_it_was) {
  for (const char* run_id : {"", "the run"}) {
    SessionId id = co_await add(run_id);
    auto row = co_await table_.find(acme_, id);
    EXPECT_TRUE(row);
    EXPECT_EQ(row->id, id);
    EXPECT_EQ(row->team, acme_);
    EXPECT_EQ(row->run, run_id);
    EXPECT_EQ(row->status, SessionStatus::running);
    EXPECT_EQ(json::serialize(row->configuration), R"({"tags":["a"]})");
    EXPECT_EQ(row->created_at, clock_.wall_now());
    EXPECT_EQ(row->ended_at, std::nullopt);
  }
}

ASYNC_TEST(SessionTableTest, another_teams_row_is_not_there) {
  SessionId id = co_await add();
  EXPECT_FALSE(co_await table_.find(other_, id));
  EXPECT_FALSE(co_await table_.find(acme_, SessionId::make(clock_.wall_now(), random_)));
}

ASYNC_TEST(SessionTableTest, a_session_ends_once_in_any_of_the_ways) {
  for (SessionStatus status :
       {SessionStatus::completed, SessionStatus::idle_timeout, SessionStatus::max_duration,
        SessionStatus::crashed, SessionStatus::stopped}) {
    SessionId id = co_await add();
    clock_.advance(1min);
    WallTime ended = clock_.wall_now();
    const SessionAccounts accounts{.proxy_bytes = 4711, .limits_met = {"sessions.disk_mib_max"}};
    co_await table_.end(id, status, accounts, ended);
    co_await table_.end(id, SessionStatus::crashed, {.proxy_bytes = 1}, ended + 1min);
    auto row = co_await table_.find(acme_, id);
    EXPECT_EQ(row->status, status) << to_text(status);
    EXPECT_EQ(row->ended_at, ended) << to_text(status);
    EXPECT_EQ(row->accounts, accounts) << to_text(status);
  }
}

ASYNC_TEST(SessionTableTest, what_a_dead_server_left_is_stopped_and_nothing_else) {
  SessionId ended = co_await add();
  co_await table_.end(ended, SessionStatus::idle_timeout, {}, clock_.wall_now());
  SessionId left = co_await add();
  clock_.advance(1h);
  co_await table_.end_left_over(clock_.wall_now());
  EXPECT_EQ((co_await table_.find(acme_, ended))->status, SessionStatus::idle_timeout);
  EXPECT_EQ((co_await table_.find(acme_, left))->status, SessionStatus::stopped);
  EXPECT_EQ((co_await table_.find(acme_, left))->ended_at, clock_.wall_now());
}

}  // namespace capstan
