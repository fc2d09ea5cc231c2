#pragma once

#include <map>
#include <memory>
#include <vector>

#include "base/metrics.h"
#include "base/random.h"
#include "session/session.h"

namespace capstan {

struct SessionLimits {
  std::size_t sessions_max = 64;  // each browser takes 70 to 200 MiB
  std::size_t sessions_per_team_max = 64;
  BrowserKind default_kind = BrowserKind::headful;
};

// A session as its owner sees it, running or ended.
struct SessionView {
  SessionId id;
  TeamId team;
  std::string run;
  SessionStatus status;
  json::object configuration;  // without secrets
  SessionAccounts accounts;
  WallTime created_at;
  std::optional<WallTime> ended_at;
  std::optional<WallTime> expires_at;
};

// The front door of the room: opens sessions, finds them, ends them. Owned by App. A session of
// another team and one that never was are answered alike.
class Sessions {
 public:
  Sessions(Executor executor, Clock& clock, Random& random, Database& database, Browsers& browsers,
           Gateways& gateways, Recorders& recorders, Workers& workers, const Exits& exits,
           const Sealer& sealer, Metrics& metrics, SessionLimits limits);

  // Ends what a server that died had left running.
  Async<> start();

  // The kind of browser that the configuration asks for.
  BrowserKind kind_for(const SessionConfig& config) const;

  // Why headful browsers run without showing their windows here; nothing if all is well.
  std::optional<std::string> screen_trouble() const { return browsers_.screen_trouble(); }
  // The same of why nothing is recorded.
  std::optional<std::string> recording_trouble() const { return recorders_.trouble(); }

  // A session that opens its browser when it is first used, or at once if it has an initial_url.
  // Throws unavailable once this server closes, and what check_session_config and upstream_of
  // throw.
  std::shared_ptr<Session> prepare(SessionOrder order);
  // A session whose browser has a page. Throws resource_exhausted or unavailable when there is no
  // room or no browser.
  Async<std::shared_ptr<Session>> open(SessionOrder order);

  // The way out of a task's own cage, by which it comes out where the sessions of this
  // configuration do; its owner starts and closes it. Throws invalid_argument for a proxy that
  // nobody may use.
  std::unique_ptr<Gateway> open_gateway(const TeamId& team, const SessionConfig& config,
                                        Fd listener, std::string owner);

  // A running session of the team; throws not_found.
  std::shared_ptr<Session> running(const TeamId& team, const SessionId& id) const;
  // The same; of one that has ended the message says so.
  Async<std::shared_ptr<Session>> find_running(TeamId team, SessionId id);
  // The running session of this id, whoever's it is; null if there is none.
  std::shared_ptr<Session> running(const SessionId& id) const;
  LiveLinks& live_links() { return live_links_; }
  // The token of the link that the session's configuration asks for.
  std::string make_live_link(const Session& session);
  // Another token for the session's DevTools, which can be taken back.
  std::string make_token(Session& session);
  // The running session whose token this is; nothing for any other text.
  std::shared_ptr<Session> by_token(const SessionId& id, std::string_view token) const;
  Async<SessionView> view(TeamId team, SessionId id);
  // Waits until one that ends is told so by the database, too, on which recordings go by.
  Async<> end_stored(SessionId id);
  // All that run, oldest first.
  std::vector<SessionView> running_of(const TeamId& team) const;

  // Ends a session, and waits until it has ended. Ended already: nothing. Throws not_found.
  Async<> end(TeamId team, SessionId id);
  Async<> end_all(TeamId team);
  // Ends what the run has opened, without waiting.
  void end_all_of_run(const std::string& run);
  // The same for those that nobody has used, and nobody can any more.
  void end_unopened_of_run(const std::string& run);
  std::vector<SessionId> opened_by_run(const std::string& run) const;

  std::size_t open_count() const { return slots_.used(); }

  // Opens nothing more, ends all as `stopped`, and waits until no browser is left.
  Async<> close();

 private:
  Async<> supervise(std::shared_ptr<Session> session);
  Async<> end_links(std::shared_ptr<Session> session);
  SessionView view_of(const Session& session) const;

  Executor executor_;
  Clock& clock_;
  Random& random_;
  Browsers& browsers_;
  Gateways& gateways_;
  Recorders& recorders_;
  Workers& workers_;
  const Exits& exits_;
  const Sealer& sealer_;
  const BrowserKind default_kind_;
  SessionTable table_;
  LiveLinks live_links_;
  Slots slots_;
  std::map<SessionId, std::shared_ptr<Session>> sessions_;
  Event closing_;
  Scope scope_;
};

}  // namespace capstan
