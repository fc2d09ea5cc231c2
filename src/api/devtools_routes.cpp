#include "api/devtools_routes.h"

#include "api/addresses.h"
#include "api/session_routes.h"
#include "io/outcome.h"
#include "session/devtools_relay.h"

namespace capstan {
namespace {

// How the caller came to the session: by a key, or by a token, which may be taken back while
// something is waited for. Made before anything is.
class Entrance {
 public:
  Entrance(const Call& call, const Session& session)
      : token_(call.request.query_value("token").value_or("")),
        revoked_(session.revocation_of(token_)),
        address_(devtools_address(call.request, session,
                                  session.is_token(token_) ? token_ : session.token())) {}

  // Throws unauthenticated if the token was taken back meanwhile.
  void check() const {
    if (revoked_ && revoked_->is_set()) {
      throw Error(ErrorCode::unauthenticated, "this token was taken back");
    }
  }
  const std::shared_ptr<Event>& revoked() const { return revoked_; }
  // Of the session, with no other token than the caller has; without one the first.
  const std::string& address() const { return address_; }

 private:
  const std::string token_;
  const std::shared_ptr<Event> revoked_;
  const std::string address_;
};

// What the upgraded connection runs must own what it needs: the call is gone by then.
std::function<Async<>(std::unique_ptr<WebSocket>)> relay_of(const Entrance& entrance,
                                                            std::shared_ptr<Session> session,
                                                            std::string target) {
  entrance.check();
  return [session = std::move(session), target = std::move(target),
          revoked = entrance.revoked()](std::unique_ptr<WebSocket> socket) {
    return relay_devtools(session, target, revoked, std::move(socket));
  };
}

// The session in the query, or at /devtools/browser/{browserId}. Nothing means: a new one.
std::optional<SessionId> wanted_id(const Call& call) {
  std::string_view text = call.request.query_value("sessionId").value_or("");
  if (text.empty() && call.fields.size() == 1 && call.fields.front().first == "browserId") {
    text = call.fields.front().second;
  }
  if (text.empty()) {
    return std::nullopt;
  }
  if (auto id = SessionId::parse(text)) {
    return id;
  }
  throw Error(ErrorCode::not_found, "no such session");
}

}  // namespace

Async<std::shared_ptr<Session>> DevToolsRoutes::wanted_session(TeamId team,
                                                               std::optional<SessionId> id) {
  if (!id) {
    co_return nullptr;
  }
  co_return co_await sessions_.find_running(std::move(team), std::move(*id));
}

Async<Response> DevToolsRoutes::connect(Call call) {
  Response response;
  if (std::shared_ptr<Session> session =
          co_await wanted_session(call.caller.team, wanted_id(call))) {
    const Entrance entrance(call, *session);
    co_await session->use();  // so that what keeps it from opening is answered, not cut off
    response.upgrade = relay_of(entrance, std::move(session), "");
    co_return response;
  }
  SessionOrder order = make_session_order(call.caller, {}, sessions_, runs_);
  response.upgrade = [this, order = std::move(order)](std::unique_ptr<WebSocket> socket) {
    return relay_own_session(order, std::move(socket));
  };
  co_return response;
}

Async<> DevToolsRoutes::relay_own_session(SessionOrder order, std::unique_ptr<WebSocket> socket) {
  std::shared_ptr<Session> session = sessions_.prepare(std::move(order));
  auto relayed = co_await outcome_of(relay_devtools(session, "", nullptr, std::move(socket)));
  session->stop(SessionStatus::completed);
}

Async<Response> DevToolsRoutes::connect_page(Call call) {
  std::shared_ptr<Session> session = co_await wanted_session(call.caller.team, wanted_id(call));
  if (!session) {
    throw Error(ErrorCode::invalid_argument, "sessionId is required in the query");
  }
  const Entrance entrance(call, *session);
  auto use = co_await session->use();
  std::string target = call.field("targetId");
  bool is_there = false;
  for (const PageInfo& page : co_await use->browser().pages()) {
    is_there = is_there || page.target_id == target;
  }
  if (!is_there) {
    throw Error(ErrorCode::not_found, "the session has no such page");
  }
  Response response;
  response.upgrade = relay_of(entrance, std::move(session), std::move(target));
  co_return response;
}

Async<Response> DevToolsRoutes::version(Call call) {
  std::string address;
  if (std::shared_ptr<Session> session =
          co_await wanted_session(call.caller.team, wanted_id(call))) {
    address = Entrance(call, *session).address();
  } else {
    SessionOrder order = make_session_order(call.caller, {}, sessions_, runs_);
    std::shared_ptr<Session> opened = co_await sessions_.open(std::move(order));
    address = Entrance(call, *opened).address();
  }
  co_return json_response(200, json::object{
                                   {"Browser", "Chrome/" + browsers_.version()},
                                   {"Protocol-Version", "1.3"},
                                   {"User-Agent", user_agent(browsers_.version())},
                                   {"webSocketDebuggerUrl", std::move(address)},
                               });
}

Async<Response> DevToolsRoutes::list(Call call) {
  std::shared_ptr<Session> session = co_await wanted_session(call.caller.team, wanted_id(call));
  if (!session) {
    throw Error(ErrorCode::invalid_argument, "sessionId is required in the query");
  }
  const Entrance entrance(call, *session);
  auto use = co_await session->use();
  const std::string& base = entrance.address();
  json::array pages;
  for (const PageInfo& page : co_await use->browser().pages()) {
    std::string address = base;
    address.replace(address.find("/?"), 2, "/devtools/page/" + page.target_id + "?");
    pages.push_back(json::object{{"id", page.target_id},
                                 {"type", "page"},
                                 {"title", page.title},
                                 {"url", page.url},
                                 {"webSocketDebuggerUrl", std::move(address)}});
  }
  co_return json_response(200, pages);
}

}  // namespace capstan
