// Drives two parties and the browser's side of the router. Beside the router runs a plain book of
// who owns which session and which command, kept with Boost.JSON; what reaches a party must be the
// party's by that book.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "base/check.h"
#include "base/error.h"
#include "cdp/devtools_router.h"

namespace {

using namespace capstan;
namespace json = boost::json;

// Hands out the input piece by piece; zeros and nothing once it is used up.
class Input {
 public:
  Input(const std::uint8_t* bytes, std::size_t size)
      : rest_(reinterpret_cast<const char*>(bytes), size) {}

  bool is_used_up() const { return rest_.empty(); }
  std::size_t below(std::size_t count) {
    if (rest_.empty()) {
      return 0;
    }
    auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return byte % count;
  }
  std::string_view text() {
    std::size_t size = std::min(below(256), rest_.size());
    std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

 private:
  std::string_view rest_;
};

class Play {
 public:
  explicit Play(Input input) : input_(input) {}

  void run() {
    while (!input_.is_used_up() && !is_lost_) {
      step();
    }
  }

 private:
  struct Owned {
    PartyId party;
    std::string parent;
  };

  void step() {
    switch (input_.below(9)) {
      case 0:
        return join_or_leave();
      case 1:
        return from_party(std::string(input_.text()));
      case 2:
        return from_browser(std::string(input_.text()));
      case 3:
        return from_party(R"({"id":)" + std::to_string(input_.below(4)) + R"(,"method":"A.b")" +
                          ending());
      case 4:
        return from_browser(R"({"id":)" + std::to_string(input_.below(32)) + R"(,"result":{})" +
                            ending());
      case 5:
        return from_browser(R"({"method":"A.c","params":{"x":[1]})" + ending());
      case 6:
        return from_browser(R"({"method":"Target.attachedToTarget","params":{"sessionId":")" +
                            session() + "\"}" + ending());
      case 7:
        return from_browser(R"({"method":"Target.detachedFromTarget","params":{"sessionId":")" +
                            session() + "\"}" + ending());
      default:
        return from_party("{" + std::string(input_.text()) + R"(,"id":1,"method":"A.b")" +
                          ending());
    }
  }

  std::string session() { return std::string(1, static_cast<char>('P' + input_.below(8))); }
  // The end of a message, with a session or none.
  std::string ending() {
    return input_.below(4) == 0 ? "}" : R"(,"sessionId":")" + session() + "\"}";
  }

  void join_or_leave() {
    std::optional<PartyId>& party = parties_[input_.below(2)];
    if (party) {
      router_.leave(*party);
      forget_party(*party);
      party.reset();
      return;
    }
    std::string own = session();
    party = router_.join(own);
    auto known = sessions_.find(own);
    bool is_ours = known != sessions_.end() && known->second.party == ourselves &&
                   known->second.parent.empty() && !has_children(own);
    CHECK(party.has_value() == is_ours);
    if (party) {
      known->second.party = *party;
      own_[*party] = own;
    }
  }

  void from_party(const std::string& text) {
    std::optional<PartyId> party = parties_[input_.below(2)];
    if (!party) {
      return;
    }
    DevToolsRoute route = router_.from_party(*party, text);
    if (route.to == DevToolsRoute::To::party) {
      CHECK(route.party == *party);
      return;
    }
    CHECK(route.to == DevToolsRoute::To::browser);
    CHECK(route.message.find('\0') == std::string::npos);
    // What the browser would read there, duplicates and escapes done its way.
    boost::system::error_code failure;
    json::value heard = json::parse(route.message, failure);
    std::string target;
    if (!failure) {
      target = heard.at("sessionId").as_string();
      CHECK(heard.at("id").as_int64() == route.id);
      CHECK(heard.at("method").as_string() != "Browser.close");
      CHECK(sessions_.contains(target) && sessions_[target].party == *party);
    }
    commands_[route.id] = *party;
  }

  void from_browser(const std::string& text) {
    DevToolsRoute route;
    try {
      route = router_.from_browser(text);
    } catch (const Error&) {
      return;
    }
    boost::system::error_code failure;
    json::value said = json::parse(text, failure);
    if (failure) {
      is_lost_ = true;  // deeper than Boost.JSON goes, or half a surrogate: the book can't follow
      return;
    }
    const json::object& message = said.as_object();
    if (message.contains("id")) {
      check_answer(message, route);
    } else {
      check_event(message, route);
    }
  }

  void check_answer(const json::object& message, const DevToolsRoute& route) {
    if (route.to == DevToolsRoute::To::nobody) {
      return;
    }
    CHECK(route.to == DevToolsRoute::To::party);
    auto command = commands_.find(message.at("id").to_number<std::int32_t>());
    CHECK(command != commands_.end() && command->second == route.party);
    commands_.erase(command);
    check_text(route);
  }

  void check_event(const json::object& message, const DevToolsRoute& route) {
    const json::value* named = message.if_contains("sessionId");
    std::string session = named && named->is_string() ? std::string(named->get_string()) : "";
    bool is_known = session.empty() || sessions_.contains(session);
    if (named && !named->is_string()) {
      is_known = false;
    }
    if (!is_known) {
      CHECK(route.to == DevToolsRoute::To::nobody && !route.ended_party);
      return;
    }
    PartyId owner = session.empty() ? ourselves : sessions_[session].party;
    CHECK((route.to == DevToolsRoute::To::party) == (owner != ourselves));
    CHECK(route.to == DevToolsRoute::To::nobody || route.party == owner);
    note(message, session, owner, route);
    check_text(route);
  }

  void note(const json::object& message, const std::string& parent, PartyId owner,
            const DevToolsRoute& route) {
    const json::value* method = message.if_contains("method");
    const json::value* params = message.if_contains("params");
    const json::value* child =
        params && params->is_object() ? params->get_object().if_contains("sessionId") : nullptr;
    std::string id = child && child->is_string() ? std::string(child->get_string()) : "";
    if (!method || !method->is_string() || !is_plain(id)) {
      CHECK(!route.ended_party);
      return;
    }
    if (method->get_string() == "Target.attachedToTarget") {
      sessions_.emplace(id, Owned{owner, parent});
    } else if (method->get_string() == "Target.detachedFromTarget" && sessions_.contains(id) &&
               sessions_[id].parent == parent) {
      PartyId party = sessions_[id].party;
      bool was_own = party != ourselves && own_[party] == id;
      CHECK(route.ended_party.has_value() == was_own);
      forget_session(id);
      if (was_own) {
        CHECK(*route.ended_party == party);
        forget_party(party);
        (parties_[0] == party ? parties_[0] : parties_[1]).reset();
      }
    }
  }

  // A party never learns its own session's id, nor another's: what it sees is JSON with a session
  // of its own, or none.
  void check_text(const DevToolsRoute& route) {
    if (route.to != DevToolsRoute::To::party || route.party == ourselves) {
      return;
    }
    boost::system::error_code failure;
    json::value seen = json::parse(route.message, failure);
    CHECK(!failure);
    if (const json::value* session = seen.as_object().if_contains("sessionId")) {
      std::string id(session->as_string());
      CHECK(id != own_[route.party]);
      CHECK(id.empty() || !sessions_.contains(id) || sessions_[id].party == route.party);
    }
  }

  static bool is_plain(std::string_view id) {
    if (id.empty() || id.size() > 128) {
      return false;
    }
    for (char c : id) {
      if (c <= ' ' || c > '~' || c == '"' || c == '\\') {
        return false;
      }
    }
    return true;
  }

  bool has_children(const std::string& id) const {
    for (auto& [child, owned] : sessions_) {
      if (owned.parent == id) {
        return true;
      }
    }
    return false;
  }

  void forget_session(const std::string& id) {
    sessions_.erase(id);
    for (auto entry = sessions_.begin(); entry != sessions_.end();) {
      if (entry->second.parent == id) {
        std::string child = entry->first;
        forget_session(child);
        entry = sessions_.begin();
      } else {
        ++entry;
      }
    }
  }

  void forget_party(PartyId party) {
    std::erase_if(sessions_, [&](auto& entry) { return entry.second.party == party; });
    std::erase_if(commands_, [&](auto& entry) { return entry.second == party; });
  }

  Input input_;
  bool is_lost_ = false;
  DevToolsRouter router_;
  std::optional<PartyId> parties_[2];
  std::map<PartyId, std::string> own_;
  std::map<std::string, Owned> sessions_;
  std::map<std::int32_t, PartyId> commands_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  Play(Input(bytes, size)).run();
  return 0;
}
