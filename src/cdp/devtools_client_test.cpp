#include "cdp/devtools_client.h"

#include "cdp/devtools_test.h"

namespace capstan {

using namespace std::chrono_literals;

class DevToolsClientTest : public DevToolsTest {
 protected:
  // A client that has joined a browser played by play(), with a session "S2" at its page.
  Async<> join_as_client() {
    open();
    scope_.spawn(play());
    client_.emplace(executor(), clock_, *devtools_, std::size_t{1} << 20);
    scope_.spawn(live_as_client());
    Event attached(executor());
    client_->attach("page", [&](std::string session) {
      session_ = std::move(session);
      attached.set();
    });
    co_await attached.wait();
  }

  Async<> live_as_client() {
    auto ended = co_await outcome_of(client_->live(
        [this](std::string_view method, const std::string& session, const json::object& params) {
          events_.push_back(std::string(method) + " " + session + " " + json::serialize(params));
        }));
    client_ended_.set();
  }

  Async<> ask_silent(std::string session) {
    outcome_ = co_await outcome_of(client_->ask("Test.silent", {}, std::move(session), 2s));
  }

  // Starts a question that is never answered, and returns when the browser has heard it.
  Async<> begin_to_ask_silent(std::string session) {
    scope_.spawn(ask_silent(session));
    co_await client_->ask("Test.after", {}, session, 2s);
  }

  std::optional<DevToolsClient> client_;
  Event client_ended_{executor()};
  std::optional<Outcome<json::object>> outcome_;
  std::string session_;
  std::vector<std::string> events_;
};

ASYNC_TEST(DevToolsClientTest, asks_at_the_root_and_in_a_session) {
  co_await join_as_client();
  EXPECT_EQ((co_await client_->ask("Test.a", {{"b", 1}}, "", 2s))["method"], "Test.a");
  json::object answer = co_await client_->ask("Test.b", {}, session_, 2s);
  EXPECT_EQ(answer["method"], "Test.b");
  EXPECT_TRUE(answer.contains("sessionId"));
  EXPECT_NE(heard_.at(0).find(R"("params":{"b":1})"), std::string::npos) << heard_.at(0);
  co_await close();
}

ASYNC_TEST(DevToolsClientTest, hears_events_but_no_answers) {
  co_await join_as_client();
  co_await say(R"({"method":"Test.event","params":{"a":7},"sessionId":"S2"})");
  co_await client_->ask("Test.a", {}, "", 2s);
  EXPECT_EQ(events_.back(), "Test.event " + session_ + R"( {"a":7})");
  co_await close();
}

ASYNC_TEST(DevToolsClientTest, a_refusal_says_what_the_browser_had_against_it) {
  co_await join_as_client();
  auto refused = co_await outcome_of(
      client_->ask("Target.attachToTarget", {{"targetId", "gone"}, {"flatten", true}}, "", 2s));
  EXPECT_EQ(refused.error().code(), ErrorCode::unavailable);
  EXPECT_EQ(refused.error().message(), "No target with given id found");
  co_await close();
}

ASYNC_TEST(DevToolsClientTest, a_target_that_is_not_there_is_not_attached) {
  co_await join_as_client();
  client_->attach("gone", [](std::string) { ADD_FAILURE(); });
  co_await client_->ask("Test.a", {}, "", 2s);
  co_await close();
}

ASYNC_TEST(DevToolsClientTest, who_asks_does_not_wait_longer_than_it_said) {
  co_await join_as_client();
  co_await begin_to_ask_silent(session_);
  EXPECT_FALSE(outcome_);
  co_await let_pass(2s);
  EXPECT_EQ(outcome_->error().code(), ErrorCode::deadline_exceeded);
  co_await close();
}

ASYNC_TEST(DevToolsClientTest, nobody_waits_in_a_session_that_has_ended) {
  co_await join_as_client();
  co_await begin_to_ask_silent(session_);
  co_await client_->ask("Target.detachFromTarget", {{"sessionId", session_}}, "", 2s);
  co_await settle();
  EXPECT_EQ(outcome_->error().message(), "the page has gone");
  co_await close();
}

ASYNC_TEST(DevToolsClientTest, nobody_waits_for_a_browser_that_has_gone) {
  co_await join_as_client();
  co_await begin_to_ask_silent("");
  hang_up();
  co_await client_ended_.wait();
  co_await settle();
  EXPECT_EQ(outcome_->error().code(), ErrorCode::unavailable);
  co_await close();
}

}  // namespace capstan
