#include "session/live_links.h"

#include "io/loop_test.h"

namespace capstan {

using namespace std::chrono_literals;

class LiveLinksTest : public LoopTest {
 protected:
  // Nothing if the claim was let in.
  std::optional<ErrorCode> code_of_claim(std::string_view token, std::string_view ticket = "") {
    auto claimed = outcome_of_call([&] { return links_.claim(token, ticket); });
    return claimed.ok() ? std::nullopt : std::optional(claimed.error().code());
  }

  static constexpr std::uint64_t seed = 31;
  testing::ScopedTrace trace_{__FILE__, __LINE__, "seed " + std::to_string(seed)};
  SeededRandom random_{seed};
  const SessionId session_ = SessionId::make(from_unix_ms(0), random_);
  const TeamId team_ = TeamId::make(from_unix_ms(0), random_);
  std::string make(const SessionId& session, LiveRole role, bool one_time) {
    return links_.make({.session = session, .team = team_, .role = role, .one_time = one_time});
  }

  LiveLinks links_{executor(), clock_, random_};
};

ASYNC_TEST(LiveLinksTest, a_link_lets_many_in) {
  std::string token = make(session_, LiveRole::control, false);
  EXPECT_EQ(token.size(), 64U);
  EXPECT_EQ(links_.find(token).session, session_);
  EXPECT_EQ(links_.find(token).role, LiveRole::control);
  std::string one = links_.claim(token, "");
  std::string other = links_.claim(token, "");
  EXPECT_NE(one, other);
  auto presence = links_.enter(token, one);
  auto another = links_.enter(token, other);
  co_return;
}

ASYNC_TEST(LiveLinksTest, a_one_time_link_lets_in_the_first_of_many) {
  std::string token = make(session_, LiveRole::view, true);
  for (int i = 0; i < 10; ++i) {
    links_.find(token);  // to look at it spends nothing
  }
  int won = 0;
  for (int i = 0; i < 50; ++i) {
    won += code_of_claim(token) == std::nullopt ? 1 : 0;
  }
  EXPECT_EQ(won, 1);
  EXPECT_EQ(code_of_claim(token), ErrorCode::gone);
  co_return;
}

ASYNC_TEST(LiveLinksTest, who_has_claimed_a_one_time_link_may_come_back_within_a_minute) {
  std::string token = make(session_, LiveRole::view, true);
  std::string ticket = links_.claim(token, "");
  for (int reload = 0; reload < 3; ++reload) {
    auto presence = links_.enter(token, ticket);
    co_await let_pass(10min);  // watching as long as one likes
    presence.reset();
    co_await let_pass(59s);
    EXPECT_EQ(links_.claim(token, ticket), ticket);
  }
  co_await let_pass(60s);
  EXPECT_EQ(code_of_claim(token, ticket), ErrorCode::gone);
  EXPECT_THROW(links_.enter(token, ticket), Error);
}

ASYNC_TEST(LiveLinksTest, a_ticket_of_another_link_is_none) {
  std::string token = make(session_, LiveRole::view, true);
  std::string other = make(session_, LiveRole::control, false);
  std::string ticket = links_.claim(token, "");
  EXPECT_NE(links_.claim(other, ticket), ticket);
  EXPECT_THROW(links_.enter(other, ticket), Error);
  EXPECT_THROW(links_.enter(token, ""), Error);
  co_return;
}

ASYNC_TEST(LiveLinksTest, a_link_dies_with_its_session_and_is_told_from_one_that_never_was) {
  const SessionId other = SessionId::make(from_unix_ms(1), random_);
  std::string token = make(session_, LiveRole::view, false);
  std::string others = make(other, LiveRole::view, false);
  std::string ticket = links_.claim(token, "");
  auto presence = links_.enter(token, ticket);
  EXPECT_FALSE(links_.seen_by(token, ticket).ending);
  links_.end_all_of(session_, {.status = SessionStatus::crashed, .was_recorded = true});
  presence.reset();
  const auto seen = links_.seen_by(token, ticket);
  EXPECT_EQ(seen.link.session, session_);
  EXPECT_EQ(seen.ending->status, SessionStatus::crashed);
  EXPECT_TRUE(seen.ending->was_recorded);
  EXPECT_EQ(code_of_claim(token, ticket), ErrorCode::gone);
  EXPECT_EQ(code_of_claim("0123"), ErrorCode::not_found);
  EXPECT_EQ(code_of_claim(others), std::nullopt);
  co_return;
}

ASYNC_TEST(LiveLinksTest, a_link_is_revoked_by_its_own_session_alone) {
  const SessionId other = SessionId::make(from_unix_ms(1), random_);
  std::string token = make(session_, LiveRole::view, false);
  EXPECT_FALSE(links_.revoke(other, token));
  EXPECT_TRUE(links_.revoke(session_, token));
  EXPECT_FALSE(links_.revoke(session_, token));
  EXPECT_EQ(code_of_claim(token), ErrorCode::gone);
  co_return;
}

ASYNC_TEST(LiveLinksTest, a_link_has_a_bounded_number_of_viewers) {
  std::string token = make(session_, LiveRole::view, false);
  for (int i = 0; i < 100; ++i) {
    links_.claim(token, "");
  }
  EXPECT_EQ(code_of_claim(token), ErrorCode::resource_exhausted);
  co_await let_pass(61s);
  EXPECT_EQ(code_of_claim(token), std::nullopt);
}

}  // namespace capstan
