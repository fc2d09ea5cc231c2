#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "cdp/devtools_message.h"

namespace capstan {

// One side of the talk with a browser: ourselves, or one outside client. Never used twice.
using PartyId = std::uint64_t;
// We speak through the pipe's root session, everybody else through a session that we attached.
inline constexpr PartyId ourselves = 0;

struct DevToolsRouterLimits {
  // Over these a party's command is answered with an error.
  std::size_t sessions_per_party_max = 10'000;
  std::size_t pending_per_party_max = 100'000;
};

// What has to be done with a message.
struct DevToolsRoute {
  enum class To { nobody, browser, party };
  To to = To::nobody;
  PartyId party = ourselves;  // with To::party
  std::string message;
  // Our id of a command on its way to the browser, or of the answer to it; 0 for anything else.
  std::int32_t id = 0;
  bool asks_to_close = false;          // a party sent Browser.close
  std::optional<PartyId> ended_party;  // its own session has gone; it is forgotten already
};

// Several DevTools parties on one pipe: which message goes where. A state machine without I/O.
//
// Ids are mapped to our own, and back in the answer. A party speaks through its own session, whose
// id it never sees, and through those that were attached below that one; what it sends to another
// session is refused. Answers go to whom they answer, events to the party whose session they name.
// Messages are passed on as they are but for `id` and `sessionId`.
class DevToolsRouter {
 public:
  explicit DevToolsRouter(DevToolsRouterLimits limits = {});

  // Makes the session a new party's own. It must have been attached to our root session and be
  // there still; otherwise nothing.
  std::optional<PartyId> join(std::string_view session_id);
  // Forgets the party with its sessions and what it waits for. Unknown ones are ignored.
  void leave(PartyId party);

  // What the party sends: on to the browser, or an answer for the party at once.
  DevToolsRoute from_party(PartyId party, std::string_view text);
  // Throws unavailable when the text is no DevTools message.
  DevToolsRoute from_browser(std::string text);
  // Nobody waits any more for the answer to the command that has this id of ours.
  void forget(std::int32_t id);

  std::size_t pending_count() const { return pending_.size(); }
  // With the root session.
  std::size_t session_count() const { return sessions_.size(); }
  // What the browser sent that nobody was waiting for.
  std::uint64_t dropped_count() const { return dropped_; }

 private:
  struct Session {
    std::string id;
    PartyId party = ourselves;
    Session* parent = nullptr;
    std::unordered_set<Session*> children;
    std::unordered_set<std::int32_t> pending;
  };
  struct PartyState {
    Session* own_session = nullptr;
    std::size_t session_count = 0;
    std::size_t pending_count = 0;
  };
  struct Pending {
    Session* session;
    std::string original_id;
  };
  struct TextHash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  using PendingMap = std::unordered_map<std::int32_t, Pending>;

  // The error that a command earns by its form or by being one too many; empty if none.
  static std::string_view malformed(const DevToolsMessage& message);
  std::string_view over_limit(const PartyState& state, const DevToolsMessage& message) const;
  // The session that the party's command goes to; nothing if it is not the party's to address.
  Session* addressed_session(PartyId party, std::string_view slice);
  Session* find_session(std::string_view id);
  std::int32_t note_pending(Session& session, std::string_view original_id);
  std::string take_pending(PendingMap::iterator entry);

  DevToolsRoute answered(const DevToolsMessage& message, std::string& text);
  DevToolsRoute happened(const DevToolsMessage& message, std::string& text);
  DevToolsRoute drop();
  void attached(Session& parent, std::string_view params);
  std::optional<PartyId> detached(Session& parent, std::string_view params);
  void forget_session(Session& session);

  DevToolsRouterLimits limits_;
  std::unordered_map<PartyId, PartyState> parties_;
  // Sessions point to each other, and pending commands to them; nodes of this map don't move.
  std::unordered_map<std::string, Session, TextHash, std::equal_to<>> sessions_;
  PendingMap pending_;
  PartyId last_party_ = ourselves;
  std::int32_t last_id_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace capstan
