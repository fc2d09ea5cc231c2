#include "session/devtools_relay.h"

#include "cdp/party.h"
#include "io/race.h"

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

// Until one side has nothing more to say. Returns why the client was expelled, if it was.
Async<std::optional<Party::Expulsion>> carry_both_ways(Session::Use* use, std::string target,
                                                       WebSocket* socket) {
  std::unique_ptr<Party> party = co_await join(use, std::move(target));
  std::vector<Async<>> ways;
  ways.push_back(carry_to_browser(socket, party.get()));
  ways.push_back(carry_to_client(party.get(), socket));
  ways.push_back(party->expelled());
  ways.push_back(use->session().ended());
  co_await first_of(std::move(ways));
  co_return party->expulsion();
}

}  // namespace

Async<> relay_devtools(std::shared_ptr<Session> session, std::string target,
                       std::unique_ptr<WebSocket> socket) {
  auto use = co_await outcome_of(session->use());
  if (!use.ok()) {
    co_await socket->close(try_again_later, use.error().message());
    co_return;
  }
  std::unique_ptr<Session::Use> held = std::move(use).take();
  auto carried = co_await outcome_of(carry_both_ways(held.get(), std::move(target), socket.get()));
  bool browser_has_gone = held->browser().is_gone();
  held.reset();
  if (browser_has_gone) {
    co_await session->ended();  // then it is known why
  }
  if (session->status() == SessionStatus::crashed) {
    co_await socket->close(server_failure, "the session's browser has crashed");
  } else if (!carried.ok()) {
    bool too_big = carried.error().code() == ErrorCode::resource_exhausted;
    co_await socket->close(too_big ? message_too_big : server_failure, carried.error().message());
  } else if (carried.value() == Party::Expulsion::no_room) {
    co_await socket->close(try_again_later, "the server holds too many messages at the moment");
  } else if (carried.value() == Party::Expulsion::stalled) {
    co_await socket->close(policy_violation, "the client did not read for too long");
  } else {
    co_await socket->close(going_away, "the session has ended");
  }
}

}  // namespace capstan
