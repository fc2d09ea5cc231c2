#include "access/teams.h"

#include "base/secret.h"
#include "io/loop_test.h"

namespace capstan {

using namespace std::chrono_literals;

class TeamsTest : public LoopTest {
 protected:
  static constexpr std::uint64_t seed = 2026;

  testing::ScopedTrace trace_{__FILE__, __LINE__, "seed " + std::to_string(seed)};
  Database database_{{}};
  SeededRandom random_{seed};
  Teams teams_{database_, clock_, random_};
};

ASYNC_TEST(TeamsTest, a_key_leads_to_its_team) {
  NewApiKey made = co_await teams_.create_key("acme", "laptop");
  EXPECT_TRUE(made.key.starts_with("capstan_"));
  EXPECT_EQ(made.key.size(), std::string("capstan_").size() + 64) << "256 bits as hex";
  auto team = co_await teams_.team_of(made.key);
  EXPECT_TRUE(team);
  EXPECT_EQ(team, co_await teams_.team_of(made.key));
}

ASYNC_TEST(TeamsTest, keys_of_one_team_lead_to_one_team_and_others_to_others) {
  NewApiKey laptop = co_await teams_.create_key("acme", "laptop");
  NewApiKey server = co_await teams_.create_key("acme", "server");
  NewApiKey other = co_await teams_.create_key("other", "laptop");
  EXPECT_NE(laptop.key, server.key);
  auto acme = co_await teams_.team_of(laptop.key);
  EXPECT_EQ(acme, co_await teams_.team_of(server.key));
  EXPECT_NE(acme, co_await teams_.team_of(other.key));
}

ASYNC_TEST(TeamsTest, two_keys_may_have_the_same_name) {
  NewApiKey first = co_await teams_.create_key("acme", "laptop");
  NewApiKey second = co_await teams_.create_key("acme", "laptop");
  EXPECT_NE(first.id, second.id);
  EXPECT_TRUE(co_await teams_.team_of(first.key));
  EXPECT_TRUE(co_await teams_.team_of(second.key));
}

ASYNC_TEST(TeamsTest, names_have_1_to_100_bytes_in_one_line) {
  for (const std::string& good : {std::string("a"), std::string(100, 'n'),
                                  std::string("K\xc3\xb6ln \"1\""), std::string("first key")}) {
    EXPECT_TRUE((co_await outcome_of(teams_.create_key(good, "key"))).ok()) << good;
    EXPECT_TRUE((co_await outcome_of(teams_.create_key("acme", good))).ok()) << good;
  }
  std::size_t made = (co_await teams_.keys()).size();
  for (const std::string& bad :
       {std::string(), std::string(101, 'n'), std::string("a\nb"), std::string("a\0b", 3),
        std::string("a\tb"), std::string("a\x1b[1m"), std::string("a\x7f"), std::string("\xff")}) {
    for (const auto& [team, key] :
         {std::pair(bad, std::string("key")), std::pair(std::string("acme"), bad)}) {
      auto outcome = co_await outcome_of(teams_.create_key(team, key));
      EXPECT_FALSE(outcome.ok());
      EXPECT_EQ(outcome.error().code(), ErrorCode::invalid_argument);
    }
  }
  EXPECT_EQ((co_await teams_.keys()).size(), made);
}

ASYNC_TEST(TeamsTest, what_is_no_key_leads_nowhere) {
  NewApiKey made = co_await teams_.create_key("acme", "laptop");
  std::string other = made.key;
  other[10] = other[10] == 'a' ? 'b' : 'a';
  for (const std::string& text :
       {std::string(), std::string("capstan_"), other, made.key.substr(0, made.key.size() - 1),
        made.key + "0", made.key + " ", made.key.substr(8), made.id.text(), sha256_hex(made.key),
        std::string("' or 1=1 --")}) {
    EXPECT_EQ(co_await teams_.team_of(text), std::nullopt) << text;
  }
}

ASYNC_TEST(TeamsTest, keys_lists_all_of_them_by_age_without_their_secrets) {
  WallTime start = clock_.wall_now();
  NewApiKey first = co_await teams_.create_key("acme", "laptop");
  clock_.advance(1min);
  NewApiKey second = co_await teams_.create_key("other", "server");
  clock_.advance(1min);
  EXPECT_TRUE(co_await teams_.revoke_key(first.id));
  auto keys = co_await teams_.keys();
  EXPECT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys.at(0).id, first.id);
  EXPECT_EQ(keys.at(0).team_name, "acme");
  EXPECT_EQ(keys.at(0).name, "laptop");
  EXPECT_EQ(keys.at(0).created_at, start);
  EXPECT_EQ(keys.at(0).revoked_at, start + 2min);
  EXPECT_EQ(keys.at(1).id, second.id);
  EXPECT_EQ(keys.at(1).team_name, "other");
  EXPECT_EQ(keys.at(1).created_at, start + 1min);
  EXPECT_EQ(keys.at(1).revoked_at, std::nullopt);
}

ASYNC_TEST(TeamsTest, a_revoked_key_leads_nowhere_and_takes_no_other_along) {
  NewApiKey revoked = co_await teams_.create_key("acme", "laptop");
  NewApiKey kept = co_await teams_.create_key("acme", "server");
  EXPECT_TRUE(co_await teams_.revoke_key(revoked.id));
  EXPECT_EQ(co_await teams_.team_of(revoked.key), std::nullopt);
  EXPECT_TRUE(co_await teams_.team_of(kept.key));
  auto when = (co_await teams_.keys()).at(0).revoked_at;
  clock_.advance(1min);
  EXPECT_FALSE(co_await teams_.revoke_key(revoked.id)) << "it was revoked before";
  EXPECT_EQ((co_await teams_.keys()).at(0).revoked_at, when);
  EXPECT_FALSE(co_await teams_.revoke_key(ApiKeyId::make(clock_.wall_now(), random_)));
}

ASYNC_TEST(TeamsTest, only_the_hash_of_a_key_is_kept) {
  NewApiKey made = co_await teams_.create_key("acme", "laptop");
  auto texts = co_await database_.read([](Transaction& tx) {
    Row row = *tx.query_one("select id, team_id, name, hash from api_keys", {});
    return std::vector{row.text(0), row.text(1), row.text(2), row.text(3)};
  });
  for (const std::string& text : texts) {
    EXPECT_EQ(text.find(made.key.substr(8)), std::string::npos);
  }
  EXPECT_EQ(texts[3], sha256_hex(made.key));
}

ASYNC_TEST(TeamsTest, the_first_key_is_made_once) {
  std::vector<std::string> kept;
  auto keep = [&](const std::string& key) { kept.push_back(key); };
  auto first = co_await teams_.create_first_key(keep);
  EXPECT_TRUE(first);
  EXPECT_EQ(kept, std::vector{first->key});
  EXPECT_TRUE(co_await teams_.team_of(first->key));
  EXPECT_EQ((co_await teams_.keys()).at(0).team_name, "default");
  EXPECT_FALSE(co_await teams_.create_first_key(keep));
  EXPECT_TRUE(co_await teams_.revoke_key(first->id));
  EXPECT_FALSE(co_await teams_.create_first_key(keep)) << "who revoked it wants no new one";
  EXPECT_EQ(kept.size(), 1U);
  EXPECT_EQ((co_await teams_.keys()).size(), 1U);
}

ASYNC_TEST(TeamsTest, a_first_key_that_can_not_be_kept_is_not_made) {
  auto outcome = co_await outcome_of(teams_.create_first_key(
      [](const std::string&) { throw Error(ErrorCode::unavailable, "the disk is full"); }));
  EXPECT_FALSE(outcome.ok());
  EXPECT_TRUE((co_await teams_.keys()).empty());
  EXPECT_TRUE(co_await teams_.create_first_key([](const std::string&) {})) << "the next start does";
}

ASYNC_TEST(TeamsTest, the_first_key_is_made_beside_other_keys) {
  NewApiKey other = co_await teams_.create_key("default", "laptop");
  auto first = co_await teams_.create_first_key([](const std::string&) {});
  EXPECT_TRUE(first);
  EXPECT_EQ(co_await teams_.team_of(first->key), co_await teams_.team_of(other.key));
}

}  // namespace capstan
