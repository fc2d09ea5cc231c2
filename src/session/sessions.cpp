#include "session/sessions.h"

#include "base/log.h"
#include "io/race.h"

namespace capstan {
namespace {

constexpr std::size_t token_bytes = 32;
// How soon an end that couldn't be stored is tried again.
constexpr auto store_retry_interval = std::chrono::seconds(2);

Error no_such_session(const SessionId& id) {
  return Error(ErrorCode::not_found, "no session " + id.text());
}

}  // namespace

Sessions::Sessions(Executor executor, Clock& clock, Random& random, Database& database,
                   Browsers& browsers, Gateways& gateways, Recorders& recorders, Workers& workers,
                   const Exits& exits, const Sealer& sealer, Metrics& metrics, SessionLimits limits)
    : executor_(std::move(executor)),
      clock_(clock),
      random_(random),
      browsers_(browsers),
      gateways_(gateways),
      recorders_(recorders),
      workers_(workers),
      exits_(exits),
      sealer_(sealer),
      default_kind_(limits.default_kind),
      table_(database),
      live_links_(executor_, clock, random),
      slots_("sessions", limits.sessions_max, limits.sessions_per_team_max,
             metrics.gauge("capstan_sessions_open", "Sessions that have a browser.")),
      closing_(executor_),
      scope_(executor_, "sessions") {}

Async<> Sessions::start() { return table_.end_left_over(clock_.wall_now()); }

BrowserKind Sessions::kind_for(const SessionConfig& config) const {
  if (!config.headless) {
    return default_kind_;
  }
  return *config.headless ? BrowserKind::headless : BrowserKind::headful;
}

std::shared_ptr<Session> Sessions::prepare(SessionOrder order) {
  if (closing_.is_set()) {
    throw Error(ErrorCode::unavailable, "the server is shutting down");
  }
  check_session_config(order.config, exits_);
  std::optional<Upstream> upstream = upstream_of(order.config.proxy, order.team, exits_, sealer_);
  bool open_at_once = order.config.initial_url.has_value();
  auto session =
      std::make_shared<Session>(executor_, clock_, browsers_, gateways_, recorders_, workers_,
                                table_, slots_, SessionId::make(clock_.wall_now(), random_),
                                random_.hex(token_bytes), std::move(order), std::move(upstream));
  sessions_.emplace(session->id(), session);
  scope_.spawn(supervise(session));
  scope_.spawn(end_links(session));
  if (open_at_once) {
    session->open();
  }
  return session;
}

std::unique_ptr<Gateway> Sessions::open_gateway(const TeamId& team, const SessionConfig& config,
                                                Fd listener, std::string owner) {
  return gateways_.open({.listener = std::move(listener),
                         .upstream = upstream_of(config.proxy, team, exits_, sealer_),
                         .owner = std::move(owner)});
}

Async<std::shared_ptr<Session>> Sessions::open(SessionOrder order) {
  std::shared_ptr<Session> session = prepare(std::move(order));
  co_await session->use();
  co_return session;
}

// As soon as its viewers hear of the end, who may come back at once.
Async<> Sessions::end_links(std::shared_ptr<Session> session) {
  co_await session->ended();
  live_links_.end_all_of(session->id(),
                         {.status = session->status(), .was_recorded = session->was_recorded()});
}

Async<> Sessions::supervise(std::shared_ptr<Session> session) {
  auto life = co_await outcome_of(session->live());
  if (!life.ok()) {
    session->stop(SessionStatus::crashed);
    log_error("session_failed", {{"session", session->id().text()},
                                 {"message", life.error().message()},
                                 {"cause", life.error().cause()}});
  }
  // Until its row tells the truth, it does.
  while (!co_await session->store_end() && !closing_.is_set()) {
    co_await sleep_or_until(&clock_, store_retry_interval, &closing_);
  }
  sessions_.erase(session->id());
}

std::shared_ptr<Session> Sessions::running(const TeamId& team, const SessionId& id) const {
  auto entry = sessions_.find(id);
  if (entry == sessions_.end() || entry->second->team() != team ||
      entry->second->status() != SessionStatus::running) {
    throw no_such_session(id);
  }
  return entry->second;
}

std::shared_ptr<Session> Sessions::running(const SessionId& id) const {
  auto entry = sessions_.find(id);
  bool is_running = entry != sessions_.end() && entry->second->status() == SessionStatus::running;
  return is_running ? entry->second : nullptr;
}

std::string Sessions::make_live_link(const Session& session) {
  const SessionConfig& config = session.config();
  LiveRole role = config.live_view_read_only.value_or(false) ? LiveRole::view : LiveRole::control;
  return live_links_.make({.session = session.id(),
                           .team = session.team(),
                           .role = role,
                           .one_time = config.live_view_one_time_url.value_or(false)});
}

std::string Sessions::make_token(Session& session) {
  std::string token = random_.hex(token_bytes);
  session.add_token(token);
  return token;
}

Async<std::shared_ptr<Session>> Sessions::find_running(TeamId team, SessionId id) {
  auto found = outcome_of_call([&] { return running(team, id); });
  if (!found.ok()) {
    SessionView ended = co_await view(team, id);
    throw Error(ErrorCode::not_found,
                "session " + id.text() + " has ended (" + std::string(to_text(ended.status)) + ")");
  }
  co_return std::move(found).take();
}

std::shared_ptr<Session> Sessions::by_token(const SessionId& id, std::string_view token) const {
  auto entry = sessions_.find(id);
  bool matches = entry != sessions_.end() && entry->second->is_token(token) &&
                 entry->second->status() == SessionStatus::running;
  return matches ? entry->second : nullptr;
}

SessionView Sessions::view_of(const Session& session) const {
  return {.id = session.id(),
          .team = session.team(),
          .run = session.run(),
          .status = session.status(),
          .configuration = to_full_json(session.config(), session.kind()),
          .accounts = session.accounts(),
          .created_at = session.created_at(),
          .ended_at = session.ended_at(),
          .expires_at = session.expires_at()};
}

Async<> Sessions::end_stored(SessionId id) {
  auto entry = sessions_.find(id);
  if (entry != sessions_.end() && entry->second->status() != SessionStatus::running) {
    std::shared_ptr<Session> ending = entry->second;
    co_await ending->ended();
  }
}

Async<SessionView> Sessions::view(TeamId team, SessionId id) {
  auto entry = sessions_.find(id);
  if (entry != sessions_.end() && entry->second->team() == team) {
    co_return view_of(*entry->second);
  }
  std::optional<SessionRow> row = co_await table_.find(team, id);
  if (!row) {
    throw no_such_session(id);
  }
  co_return SessionView{.id = row->id,
                        .team = row->team,
                        .run = row->run,
                        .status = row->status,
                        .configuration = std::move(row->configuration),
                        .accounts = std::move(row->accounts),
                        .created_at = row->created_at,
                        .ended_at = row->ended_at,
                        .expires_at = std::nullopt};
}

std::vector<SessionView> Sessions::running_of(const TeamId& team) const {
  std::vector<SessionView> views;
  for (const auto& [id, session] : sessions_) {
    if (session->team() == team && session->status() == SessionStatus::running) {
      views.push_back(view_of(*session));
    }
  }
  return views;
}

Async<> Sessions::end(TeamId team, SessionId id) {
  auto entry = sessions_.find(id);
  if (entry != sessions_.end() && entry->second->team() == team) {
    std::shared_ptr<Session> session = entry->second;
    session->stop(SessionStatus::completed);
    co_await session->ended();
    co_return;
  }
  if (!co_await table_.find(team, id)) {
    throw no_such_session(id);
  }
}

Async<> Sessions::end_all(TeamId team) {
  std::vector<std::shared_ptr<Session>> ending;
  for (const auto& [id, session] : sessions_) {
    if (session->team() == team) {
      session->stop(SessionStatus::completed);
      ending.push_back(session);
    }
  }
  for (const std::shared_ptr<Session>& session : ending) {
    co_await session->ended();
  }
}

void Sessions::end_all_of_run(const std::string& run) {
  for (const auto& [id, session] : sessions_) {
    if (session->run() == run) {
      session->stop(SessionStatus::completed);
    }
  }
}

void Sessions::end_unopened_of_run(const std::string& run) {
  for (const auto& [id, session] : sessions_) {
    if (session->run() == run && !session->has_opened()) {
      session->stop(SessionStatus::completed);
    }
  }
}

std::vector<SessionId> Sessions::opened_by_run(const std::string& run) const {
  std::vector<SessionId> ids;
  for (const auto& [id, session] : sessions_) {
    if (session->run() == run && session->has_opened()) {
      ids.push_back(id);
    }
  }
  return ids;
}

Async<> Sessions::close() {
  closing_.set();
  for (const auto& [id, session] : sessions_) {
    session->stop(SessionStatus::stopped);
  }
  co_await scope_.drain();
}

}  // namespace capstan
