#include "session/live_relay.h"

#include "io/race.h"
#include "session/live_view.h"

namespace capstan {
namespace {

// Close codes: of RFC 6455, and two of ours.
constexpr std::uint16_t normal = 1000;
constexpr std::uint16_t server_failure = 1011;
constexpr std::uint16_t try_again_later = 1013;
constexpr std::uint16_t replaced = 4409;
constexpr std::uint16_t link_is_dead = 4410;

std::uint16_t code_of(const Outcome<void>& served) {
  if (served.ok()) {
    return server_failure;
  }
  switch (served.error().code()) {
    case ErrorCode::resource_exhausted:
      return try_again_later;
    case ErrorCode::conflict:
      return replaced;
    default:
      return server_failure;
  }
}

Async<> serve_until_ended(Session::Use* use, LiveRole role, const LiveLinks::Presence* presence,
                          WebSocket* socket) {
  std::vector<Async<>> either;
  either.push_back(use->session().live_view().serve(socket, role, presence->viewer()));
  either.push_back(presence->revoked());
  either.push_back(use->session().stopping());
  co_await first_of(std::move(either));
}

}  // namespace

Async<> relay_live_view(std::shared_ptr<Session> session, LiveRole role,
                        std::shared_ptr<LiveLinks::Presence> presence, std::string recording_url,
                        std::unique_ptr<WebSocket> socket) {
  auto use = co_await outcome_of(session->use());
  if (!use.ok()) {
    co_await socket->close(try_again_later, use.error().message());
    co_return;
  }
  std::unique_ptr<Session::Use> held = std::move(use).take();
  auto served =
      co_await outcome_of(serve_until_ended(held.get(), role, presence.get(), socket.get()));
  held.reset();
  if (session->status() != SessionStatus::running) {
    co_await session->ended();  // from then on nobody takes its recording for one that goes on
    json::object ended{{"type", "ended"},
                       {"reason", to_text(session->status())},
                       {"recording_url", session->was_recorded() ? json::value(recording_url)
                                                                 : json::value(nullptr)}};
    auto told = co_await outcome_of(socket->write(json::serialize(ended)));
    co_await socket->close(normal, "the session has ended");
    co_return;
  }
  if (presence->is_revoked()) {
    co_await socket->close(link_is_dead, "this link was taken back");
    co_return;
  }
  co_await socket->close(code_of(served), served.ok() ? "" : served.error().message());
}

}  // namespace capstan
