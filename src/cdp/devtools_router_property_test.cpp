#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "cdp/devtools_router.h"

namespace capstan {
namespace {

namespace json = boost::json;

// Several parties and a browser, all played, that do things in random order. Every session, every
// command and every event bears its owner's name, so whoever gets a message can tell whether it is
// meant for them. The books are kept apart from the router's, with another JSON reader.
class Play {
 public:
  explicit Play(std::uint64_t seed) : random_(seed) {}

  void run(int steps);

 private:
  struct Command {
    std::string session;
    PartyId party;
    int serial;
  };
  struct Player {
    std::string own_session;
    std::set<std::string> sessions;          // below its own
    std::map<int, std::string> outstanding;  // by serial number: the text of the id
  };

  int below(std::size_t count) {
    return std::uniform_int_distribution<int>(0, static_cast<int>(count) - 1)(random_);
  }
  template <class Container>
  auto any_of(Container& container) {
    return std::next(container.begin(), below(container.size()));
  }

  void join();
  void leave();
  void command();
  void trespass();
  void answer();
  void happen();
  void attach();
  void detach();
  void close_page();
  void deliver(const DevToolsRoute& route);
  void forget(const std::string& session);
  std::string attached_event(const std::string& session, const std::string& parent);
  static std::string named(const std::string& session) {
    return session.empty() ? "}" : ",\"sessionId\":\"" + session + "\"}";
  }

  std::mt19937_64 random_;
  DevToolsRouter router_;
  std::map<PartyId, Player> players_;
  std::map<std::string, PartyId> owners_;       // of every session that is attached
  std::map<std::string, std::string> parents_;  // of every session below a party's own
  std::map<int, Command> commands_;             // what the browser has not answered, by our id
  int serial_ = 0;
  int sessions_ = 0;
  int delivered_ = 0;
};

void Play::run(int steps) {
  join();
  for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
    int dice = below(100);
    if (dice < 3) {
      join();
    } else if (players_.empty()) {
      join();
    } else if (dice < 5) {
      leave();
    } else if (dice < 35) {
      command();
    } else if (dice < 40) {
      trespass();
    } else if (dice < 70) {
      answer();
    } else if (dice < 85) {
      happen();
    } else if (dice < 94) {
      attach();
    } else if (dice < 98) {
      detach();
    } else {
      close_page();
    }
  }
  while (!commands_.empty()) {
    answer();
  }
  for (auto& [party, player] : players_) {
    EXPECT_TRUE(player.outstanding.empty()) << "party " << party << " misses an answer";
  }
  EXPECT_EQ(router_.pending_count(), 0U);
  EXPECT_EQ(router_.session_count(), owners_.size() + 1);
  EXPECT_GT(delivered_, steps / 10);
}

std::string Play::attached_event(const std::string& session, const std::string& parent) {
  return R"({"method":"Target.attachedToTarget","params":{"sessionId":")" + session +
         R"(","owner":)" + std::to_string(parent.empty() ? 0 : owners_.at(parent)) + "}" +
         named(parent);
}

void Play::join() {
  std::string session = "S" + std::to_string(++sessions_);
  EXPECT_EQ(router_.from_browser(attached_event(session, "")).to, DevToolsRoute::To::nobody);
  std::optional<PartyId> party = router_.join(session);
  ASSERT_TRUE(party);
  EXPECT_FALSE(players_.contains(*party));
  players_[*party].own_session = session;
  owners_[session] = *party;
}

void Play::leave() {
  auto player = any_of(players_);
  router_.leave(player->first);
  forget(player->second.own_session);
  players_.erase(player);
}

void Play::command() {
  auto player = any_of(players_);
  auto& [party, state] = *player;
  std::string target;
  if (!state.sessions.empty() && below(2) == 0) {
    target = *any_of(state.sessions);
  }
  int serial = ++serial_;
  std::vector<std::string> forms = {std::to_string(below(5)), "-" + std::to_string(below(9) + 1),
                                    "7.0", "1e2", std::to_string(serial)};
  const std::string& id = forms[static_cast<std::size_t>(below(forms.size()))];
  std::string text = R"({"params":{"owner":)" + std::to_string(party) + R"(,"serial":)" +
                     std::to_string(serial) + R"(},"id":)" + id + R"(,"method":"Test.do")" +
                     named(target);
  DevToolsRoute route = router_.from_party(party, text);
  ASSERT_EQ(route.to, DevToolsRoute::To::browser) << route.message;
  json::object heard = json::parse(route.message).as_object();
  int our_id = static_cast<int>(heard.at("id").as_int64());
  std::string session(heard.at("sessionId").as_string());
  EXPECT_EQ(session, target.empty() ? state.own_session : target);
  EXPECT_EQ(heard.at("params").at("serial").as_int64(), serial);
  EXPECT_FALSE(commands_.contains(our_id)) << "an id of ours is used twice";
  commands_[our_id] = {session, party, serial};
  state.outstanding[serial] = id;
}

void Play::trespass() {
  PartyId party = any_of(players_)->first;
  auto [session, owner] = *any_of(owners_);
  if (owner == party && session != players_[party].own_session) {
    return;
  }
  DevToolsRoute route = router_.from_party(party, R"({"id":1,"method":"Test.do")" + named(session));
  EXPECT_EQ(route.to, DevToolsRoute::To::party);
  EXPECT_EQ(route.party, party);
  EXPECT_EQ(json::parse(route.message).at("error").at("code").as_int64(), -32001);
}

void Play::answer() {
  if (commands_.empty()) {
    return;
  }
  auto entry = any_of(commands_);
  auto [our_id, command] = *entry;
  commands_.erase(entry);
  std::string text = "{\"id\":" + std::to_string(our_id) + R"(,"result":{"owner":)" +
                     std::to_string(command.party) + R"(,"serial":)" +
                     std::to_string(command.serial) + "}" + named(command.session);
  deliver(router_.from_browser(text));
  EXPECT_EQ(router_.from_browser(text).to, DevToolsRoute::To::nobody) << "answered twice";
}

void Play::happen() {
  auto [session, owner] = *any_of(owners_);
  deliver(router_.from_browser(R"({"method":"Test.happened","params":{"owner":)" +
                               std::to_string(owner) + "}" + named(session)));
  EXPECT_EQ(router_.from_browser(R"({"method":"Test.happened","params":{},"sessionId":"none"})").to,
            DevToolsRoute::To::nobody);
}

void Play::attach() {
  auto [parent, owner] = *any_of(owners_);
  std::string session = "S" + std::to_string(++sessions_);
  deliver(router_.from_browser(attached_event(session, parent)));
  owners_[session] = owner;
  parents_[session] = parent;
  players_[owner].sessions.insert(session);
}

void Play::detach() {
  if (parents_.empty()) {
    return;
  }
  auto [session, parent] = *any_of(parents_);
  DevToolsRoute route = router_.from_browser(
      R"({"method":"Target.detachedFromTarget","params":{"sessionId":")" + session +
      R"(","owner":)" + std::to_string(owners_[session]) + "}" + named(parent));
  EXPECT_FALSE(route.ended_party);
  deliver(route);
  forget(session);
}

void Play::close_page() {
  auto player = any_of(players_);
  DevToolsRoute route =
      router_.from_browser(R"({"method":"Target.detachedFromTarget","params":{"sessionId":")" +
                           player->second.own_session + "\"}}");
  EXPECT_EQ(route.to, DevToolsRoute::To::nobody);
  EXPECT_EQ(route.ended_party, player->first);
  forget(player->second.own_session);
  players_.erase(player);
}

void Play::deliver(const DevToolsRoute& route) {
  ASSERT_EQ(route.to, DevToolsRoute::To::party);
  ASSERT_TRUE(players_.contains(route.party));
  ++delivered_;
  Player& player = players_[route.party];
  json::object message = json::parse(route.message).as_object();
  if (message.contains("sessionId")) {
    std::string session(message["sessionId"].as_string());
    EXPECT_TRUE(player.sessions.contains(session)) << "sees the session " << session;
  }
  const json::value& content = message.contains("id") ? message["result"] : message["params"];
  EXPECT_EQ(content.at("owner").to_number<PartyId>(), route.party) << route.message;
  if (message.contains("id")) {
    auto outstanding = player.outstanding.find(content.at("serial").to_number<int>());
    ASSERT_NE(outstanding, player.outstanding.end()) << "answered, but not asked";
    EXPECT_TRUE(route.message.starts_with("{\"id\":" + outstanding->second + ","));
    player.outstanding.erase(outstanding);
  }
}

void Play::forget(const std::string& session) {
  std::vector<std::string> children;
  for (auto& [child, parent] : parents_) {
    if (parent == session) {
      children.push_back(child);
    }
  }
  for (const std::string& child : children) {
    forget(child);
  }
  std::erase_if(commands_, [&](auto& entry) {
    bool is_lost = entry.second.session == session;
    if (is_lost) {
      players_[entry.second.party].outstanding.erase(entry.second.serial);
    }
    return is_lost;
  });
  players_[owners_[session]].sessions.erase(session);
  owners_.erase(session);
  parents_.erase(session);
}

TEST(RouterProperty, nobody_sees_anothers_message_and_every_answer_comes_once) {
  // CAPSTAN_SEED repeats a run.
  const char* given = std::getenv("CAPSTAN_SEED");
  std::uint64_t first =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  for (std::uint64_t seed = first; seed < first + 30 && !HasFailure(); ++seed) {
    SCOPED_TRACE("CAPSTAN_SEED=" + std::to_string(seed));
    Play(seed).run(1000);
  }
}

}  // namespace
}  // namespace capstan
