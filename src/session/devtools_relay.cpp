#include "session/devtools_relay.h"

#include "cdp/party.h"
#include "io/race.h"
#include "session/page_watch.h"

namespace capstan {
namespace {

// Close codes of RFC 6455.
constexpr std::uint16_t going_away = 1001;
constexpr std::uint16_t policy_violation = 1008;
constexpr std::uint16_t message_too_big = 1009;
constexpr std::uint16_t server_failure = 1011;
constexpr std::uint16_t try_again_later = 1013;

Async<> carry_to_browser(WebSocket* socket, Party* party) {
  while (auto message = co_await socket->read()) {
    co_await party->send(std::move(*message));
  }
}

Async<> carry_to_client(Party* party, WebSocket* socket) {
  while (auto message = co_await party->receive()) {
    co_await socket->write(std::move(*message));
  }
}

Async<std::unique_ptr<Party>> join(Session::Use* use, std::string target) {
  DevTools& devtools = use->browser().devtools();
  if (target.empty()) {
    co_return co_await devtools.join_browser();
  }
  co_return co_await devtools.join_target(std::move(target));
}

// Until one side has nothing more to say.
Async<> carry_both_ways(Session::Use* use, Party* party, Event* revoked, WebSocket* socket) {
  std::vector<Async<>> ways;
  if (revoked != nullptr) {
    ways.push_back(revoked->wait());
  }
  ways.push_back(carry_to_browser(socket, party));
  ways.push_back(carry_to_client(party, socket));
  ways.push_back(party->expelled());
  ways.push_back(use->session().ended());
  co_await first_of(std::move(ways));
}

struct Farewell {
  std::uint16_t code;
  std::string reason;
};

// Why the client is sent away, as far as the browser and its session have nothing to do with it.
Async<Farewell> serve(Session::Use* use, std::string target, Event* revoked, WebSocket* socket) {
  PageWatch::Program program(use->session().pages());
  auto joined = co_await outcome_of(join(use, std::move(target)));
  if (!joined.ok()) {
    bool is_crowded = joined.error().code() == ErrorCode::resource_exhausted;
    co_return Farewell{is_crowded ? try_again_later : server_failure, joined.error().message()};
  }
  std::unique_ptr<Party> party = std::move(joined).take();
  auto carried = co_await outcome_of(carry_both_ways(use, party.get(), revoked, socket));
  if (!carried.ok()) {
    bool is_too_big = carried.error().code() == ErrorCode::resource_exhausted;
    co_return Farewell{is_too_big ? message_too_big : server_failure, carried.error().message()};
  }
  if (revoked != nullptr && revoked->is_set()) {
    co_return Farewell{policy_violation, "this token was taken back"};
  }
  if (party->expulsion() == Party::Expulsion::no_room) {
    co_return Farewell{try_again_later, "the server holds too many messages at the moment"};
  }
  if (party->expulsion() == Party::Expulsion::stalled) {
    co_return Farewell{policy_violation, "the client did not read for too long"};
  }
  co_return Farewell{going_away, "the session has ended"};
}

}  // namespace

Async<> relay_devtools(std::shared_ptr<Session> session, std::string target,
                       std::shared_ptr<Event> revoked, std::unique_ptr<WebSocket> socket) {
  auto use = co_await outcome_of(session->use());
  if (!use.ok()) {
    co_await socket->close(try_again_later, use.error().message());
    co_return;
  }
  std::unique_ptr<Session::Use> held = std::move(use).take();
  Farewell farewell = co_await serve(held.get(), std::move(target), revoked.get(), socket.get());
  bool browser_has_gone = held->browser().is_gone();
  held.reset();
  if (browser_has_gone) {
    co_await session->ended();  // then it is known why
  }
  if (session->status() == SessionStatus::crashed) {
    farewell = {server_failure, "the session's browser has crashed"};
  }
  co_await socket->close(farewell.code, std::move(farewell.reason));
}

}  // namespace capstan
