#include "cdp/devtools_router.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "base/check.h"
#include "base/error.h"
#include "base/text.h"
#include "cdp/rewrite.h"

namespace capstan {
namespace {

// Chromium's texts, so that a client can't tell whom it talks to.
constexpr std::string_view no_json = R"("code":-32700,"message":"JSON: not one valid object")";
constexpr std::string_view repeats = R"("code":-32700,"message":"JSON: duplicate map key")";
constexpr std::string_view no_id =
    R"("code":-32600,"message":"DevToolsMessage must have integer 'id' property")";
constexpr std::string_view no_method =
    R"("code":-32600,"message":"DevToolsMessage must have string 'method' property")";
constexpr std::string_view odd_session =
    R"("code":-32600,"message":"DevToolsMessage may have string 'sessionId' property")";
constexpr std::string_view unknown_member =
    R"("code":-32600,"message":"DevToolsMessage has property other than 'id', 'method', 'sessionId', )"
    R"('params'")";
constexpr std::string_view no_session =
    R"("code":-32001,"message":"Session with given id not found.")";
constexpr std::string_view too_many_pending =
    R"("code":-32000,"message":"Too many commands wait for an answer.")";
constexpr std::string_view too_many_sessions =
    R"("code":-32000,"message":"Too many sessions are attached.")";

bool is_string_slice(std::string_view slice) { return slice.starts_with('"'); }

// Session ids are hex. Anything that would need escaping is no session id.
bool is_session_id(std::string_view text) {
  constexpr std::size_t length_max = 128;
  return !text.empty() && text.size() <= length_max && std::ranges::all_of(text, [](char c) {
    return c > ' ' && c <= '~' && c != '"' && c != '\\';
  });
}

DevToolsRoute answer_at_once(PartyId party, std::string text) {
  DevToolsRoute route;
  route.to = DevToolsRoute::To::party;
  route.party = party;
  route.message = std::move(text);
  return route;
}

}  // namespace

DevToolsRouter::DevToolsRouter(DevToolsRouterLimits limits) : limits_(limits) {
  Session& root = sessions_[""];
  root.party = ourselves;
  parties_[ourselves] = {.own_session = &root, .session_count = 1, .pending_count = 0};
}

std::optional<PartyId> DevToolsRouter::join(std::string_view session_id) {
  Session* session = find_session(session_id);
  PartyState& we = parties_[ourselves];
  if (session == nullptr || session->parent != we.own_session || session->party != ourselves ||
      !session->children.empty() || !session->pending.empty()) {
    return std::nullopt;
  }
  --we.session_count;
  session->party = ++last_party_;
  parties_[last_party_] = {.own_session = session, .session_count = 1, .pending_count = 0};
  return last_party_;
}

void DevToolsRouter::leave(PartyId party) {
  CHECK(party != ourselves);
  if (auto state = parties_.find(party); state != parties_.end()) {
    forget_session(*state->second.own_session);
    parties_.erase(party);
  }
}

DevToolsRoute DevToolsRouter::from_party(PartyId party, std::string_view text) {
  if (!parties_.contains(party)) {
    return {};
  }
  std::optional<DevToolsMessage> message = parse_message(text);
  if (!message || (!message->is_ascii && !is_utf8(text))) {
    return answer_at_once(party, error_text({}, no_json));
  }
  if (!integer_of(message->id)) {
    return answer_at_once(party, error_text({}, no_id));
  }
  if (auto error = malformed(*message); !error.empty()) {
    return answer_at_once(party, error_text(message->id, error));
  }
  Session* session = addressed_session(party, message->session_id);
  if (session == nullptr) {
    return answer_at_once(party, error_text(message->id, no_session));
  }
  PartyState& state = parties_[party];
  std::string_view shown_session;
  if (session != state.own_session) {
    shown_session = session->id;
  }
  if (party != ourselves && is_string(message->method, "Browser.close")) {
    DevToolsRoute route = answer_at_once(party, empty_result_text(message->id, shown_session));
    route.asks_to_close = true;
    return route;
  }
  if (auto error = over_limit(state, *message); !error.empty()) {
    return answer_at_once(party, error_text(message->id, error, shown_session));
  }
  DevToolsRoute route;
  route.to = DevToolsRoute::To::browser;
  route.id = note_pending(*session, message->id);
  route.message = command_text(route.id, session->id, *message);
  return route;
}

DevToolsRoute DevToolsRouter::from_browser(std::string text) {
  std::optional<DevToolsMessage> message = parse_message(text);
  if (!message || message->repeats_member) {
    throw Error(ErrorCode::unavailable, "the browser sent something that is no DevTools message");
  }
  return message->id.empty() ? happened(*message, text) : answered(*message, text);
}

void DevToolsRouter::forget(std::int32_t id) {
  if (auto pending = pending_.find(id); pending != pending_.end()) {
    take_pending(pending);
  }
}

std::string_view DevToolsRouter::malformed(const DevToolsMessage& message) {
  if (message.repeats_member) {
    return repeats;
  }
  if (!is_string_slice(message.method)) {
    return no_method;
  }
  if (message.has_unknown_member || !message.result.empty() || !message.error.empty()) {
    return unknown_member;
  }
  if (!message.session_id.empty() && !is_string_slice(message.session_id)) {
    return odd_session;
  }
  return {};
}

std::string_view DevToolsRouter::over_limit(const PartyState& state,
                                            const DevToolsMessage& message) const {
  if (state.pending_count >= limits_.pending_per_party_max) {
    return too_many_pending;
  }
  if (state.session_count >= limits_.sessions_per_party_max &&
      (is_string(message.method, "Target.attachToTarget") ||
       is_string(message.method, "Target.attachToBrowserTarget"))) {
    return too_many_sessions;
  }
  return {};
}

DevToolsRouter::Session* DevToolsRouter::addressed_session(PartyId party, std::string_view slice) {
  Session* own = parties_[party].own_session;
  if (slice.empty() || slice == R"("")") {
    return own;
  }
  std::optional<std::string> id = string_of(slice);
  Session* session = id ? find_session(*id) : nullptr;
  bool is_theirs = session != nullptr && session != own && session->party == party;
  return is_theirs ? session : nullptr;
}

DevToolsRouter::Session* DevToolsRouter::find_session(std::string_view id) {
  auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : &found->second;
}

std::int32_t DevToolsRouter::note_pending(Session& session, std::string_view original_id) {
  do {
    last_id_ = last_id_ == std::numeric_limits<std::int32_t>::max() ? 1 : last_id_ + 1;
  } while (pending_.contains(last_id_));
  pending_.emplace(last_id_, Pending{&session, std::string(original_id)});
  session.pending.insert(last_id_);
  ++parties_[session.party].pending_count;
  return last_id_;
}

std::string DevToolsRouter::take_pending(PendingMap::iterator entry) {
  auto [id, pending] = std::move(*entry);
  pending_.erase(entry);
  pending.session->pending.erase(id);
  --parties_[pending.session->party].pending_count;
  return std::move(pending.original_id);
}

DevToolsRoute DevToolsRouter::answered(const DevToolsMessage& message, std::string& text) {
  std::optional<std::int32_t> id = integer_of(message.id);
  auto pending = id ? pending_.find(*id) : pending_.end();
  if (pending == pending_.end()) {
    return drop();
  }
  // An error may leave out the session. One that names another session is not the answer.
  Session& session = *pending->second.session;
  if (!message.session_id.empty() && !is_string(message.session_id, session.id)) {
    return drop();
  }
  bool hides_session = parties_[session.party].own_session == &session;
  DevToolsRoute route;
  route.to = DevToolsRoute::To::party;
  route.party = session.party;
  route.id = *id;
  put_back(text, message, take_pending(pending), hides_session);
  route.message = std::move(text);
  return route;
}

DevToolsRoute DevToolsRouter::happened(const DevToolsMessage& message, std::string& text) {
  std::optional<std::string> id =
      message.session_id.empty() ? std::string() : string_of(message.session_id);
  Session* session = id ? find_session(*id) : nullptr;
  if (session == nullptr) {
    return drop();
  }
  DevToolsRoute route;
  if (is_string(message.method, "Target.attachedToTarget")) {
    attached(*session, message.params);
  } else if (is_string(message.method, "Target.detachedFromTarget")) {
    route.ended_party = detached(*session, message.params);
  } else if (session->party == ourselves) {
    return drop();
  }
  if (session->party != ourselves) {
    route.to = DevToolsRoute::To::party;
    route.party = session->party;
    put_back(text, message, {}, parties_[session->party].own_session == session);
    route.message = std::move(text);
  }
  return route;
}

DevToolsRoute DevToolsRouter::drop() {
  ++dropped_;
  return {};
}

void DevToolsRouter::attached(Session& parent, std::string_view params) {
  std::optional<DevToolsMessage> members = parse_message(params);
  std::optional<std::string> id = members ? string_of(members->session_id) : std::nullopt;
  PartyState& state = parties_[parent.party];
  // One over the limit stays unknown: commands to it are refused, its events dropped.
  if (!id || !is_session_id(*id) || sessions_.contains(*id) ||
      state.session_count >= limits_.sessions_per_party_max) {
    return;
  }
  Session& session = sessions_[*id];
  session.id = std::move(*id);
  session.party = parent.party;
  session.parent = &parent;
  parent.children.insert(&session);
  ++state.session_count;
}

std::optional<PartyId> DevToolsRouter::detached(Session& parent, std::string_view params) {
  std::optional<DevToolsMessage> members = parse_message(params);
  std::optional<std::string> id = members ? string_of(members->session_id) : std::nullopt;
  Session* session = id ? find_session(*id) : nullptr;
  if (session == nullptr || session->parent != &parent) {
    return std::nullopt;
  }
  PartyId party = session->party;
  bool was_own = parties_[party].own_session == session;
  // Chromium answers nothing that was still pending in the session or below it.
  forget_session(*session);
  if (!was_own) {
    return std::nullopt;
  }
  parties_.erase(party);
  return party;
}

void DevToolsRouter::forget_session(Session& session) {
  session.parent->children.erase(&session);
  // Clients decide how deep sessions lie in each other, so this must not recurse.
  std::vector<Session*> doomed = {&session};
  while (!doomed.empty()) {
    Session* last = doomed.back();
    doomed.pop_back();
    doomed.insert(doomed.end(), last->children.begin(), last->children.end());
    for (std::int32_t id : last->pending) {
      pending_.erase(id);
    }
    PartyState& state = parties_[last->party];
    state.pending_count -= last->pending.size();
    --state.session_count;
    sessions_.erase(sessions_.find(last->id));
  }
}

}  // namespace capstan
