#include "session/session.h"

#include "base/log.h"
#include "base/secret.h"
#include "io/race.h"
#include "session/live_view.h"

namespace capstan {
namespace {

constexpr std::size_t tokens_max = 100;

Error session_gone(const SessionId& id) {
  return Error(ErrorCode::not_found, "session " + id.text() + " is not running");
}

}  // namespace

Session::Session(Executor executor, Clock& clock, Browsers& browsers, Gateways& gateways,
                 Recorders& recorders, Workers& workers, SessionTable& table, Slots& slots,
                 SessionId id, std::string token, SessionOrder order,
                 std::optional<Upstream> upstream)
    : clock_(clock),
      browsers_(browsers),
      gateways_(gateways),
      recorders_(recorders),
      workers_(workers),
      table_(table),
      slots_(slots),
      id_(std::move(id)),
      token_(std::move(token)),
      order_(std::move(order)),
      upstream_(std::move(upstream)),
      created_at_(clock.wall_now()),
      open_wanted_(executor),
      ready_(executor),
      stop_wanted_(executor),
      ended_(executor),
      idle_since_(clock.now()),
      unused_(executor),
      executor_(executor) {
  unused_.set();
}

Session::~Session() = default;

bool Session::is_token(std::string_view text) const {
  return equal_in_constant_time(text, token_) || revocation_of(text) != nullptr;
}

void Session::add_token(std::string_view token) {
  if (added_tokens_.size() >= tokens_max) {
    throw Error(ErrorCode::resource_exhausted,
                "a session has at most 100 tokens at a time; take some back");
  }
  added_tokens_.emplace(sha256_hex(token), std::make_shared<Event>(executor_));
}

bool Session::revoke_token(std::string_view token) {
  auto added = added_tokens_.find(sha256_hex(token));
  if (added == added_tokens_.end()) {
    return false;
  }
  added->second->set();
  added_tokens_.erase(added);
  return true;
}

std::shared_ptr<Event> Session::revocation_of(std::string_view token) const {
  auto added = added_tokens_.find(sha256_hex(token));
  return added != added_tokens_.end() ? added->second : nullptr;
}

std::optional<WallTime> Session::expires_at() const {
  std::int64_t limit = order_.config.max_duration_min.value_or(default_max_duration_min);
  if (!opened_at_ || ended_at_ || limit < 0) {
    return std::nullopt;
  }
  return *opened_at_ + std::chrono::minutes(limit);
}

Session::Use::Use(std::shared_ptr<Session> session, bool is_activity)
    : session_(std::move(session)), is_activity_(is_activity) {
  ++session_->uses_;
  session_->unused_.clear();
}

Session::Use::~Use() {
  if (is_activity_) {
    session_->idle_since_ = session_->clock_.now();
  }
  if (--session_->uses_ == 0) {
    session_->unused_.set();
  }
}

Async<> Session::become_usable() {
  open();
  co_await ready_.wait();
  if (failure_) {
    throw Error(*failure_);
  }
  if (status_ != SessionStatus::running) {
    throw session_gone(id_);
  }
}

Async<std::unique_ptr<Session::Use>> Session::use() {
  co_await become_usable();
  co_return std::make_unique<Use>(shared_from_this(), true);
}

Async<std::unique_ptr<Session::Use>> Session::glance() {
  co_await become_usable();
  co_return std::make_unique<Use>(shared_from_this(), false);
}

void Session::stop(SessionStatus reason) {
  if (status_ == SessionStatus::running) {
    status_ = reason;
    ended_at_ = clock_.wall_now();
    stop_wanted_.set();
  }
}

void Session::finish() {
  slot_ = Slot();  // who is told that it has ended may open the next one
  ended_.set();
  ready_.set();
}

Async<> Session::live() {
  std::vector<Async<>> either;
  either.push_back(open_wanted_.wait());
  either.push_back(stop_wanted_.wait());
  co_await first_of(std::move(either));
  if (!open_wanted_.is_set()) {
    finish();
    co_return;
  }
  auto ending = co_await outcome_of(live_with_browser());
  if (!ending.ok()) {
    note_failure(ending.error());
  }
  stop(ending.ok() ? ending.value() : SessionStatus::crashed);
  accounts_ = accounts();
  co_await store_end();
  finish();
  co_await put_away();
  if (failure_) {
    log_info(
        "session_not_opened",
        {{"session", id_.text()}, {"message", failure_->message()}, {"cause", failure_->cause()}});
  } else {
    log_info("session_ended", {{"session", id_.text()},
                               {"status", to_text(status_)},
                               {"limits_met", accounts_.limits_met}});
  }
}

Async<SessionStatus> Session::live_with_browser() {
  co_await prepare_browser();
  idle_since_ = clock_.now();
  ready_.set();
  co_return co_await first_ending();
}

// Who waits for it to open is told; of what happens later only the log can tell.
void Session::note_failure(const Error& error) {
  if (!ready_.is_set()) {
    failure_ = error;
  } else {
    log_error("session_failed",
              {{"session", id_.text()}, {"message", error.message()}, {"cause", error.cause()}});
  }
}

Async<> Session::put_away() {
  if (recorder_) {
    co_await recorder_->stop();
    recorder_.reset();
  }
  if (browser_) {
    co_await browser_->close();
    // Those who are inside a use notice that the browser has gone, and leave.
    while (uses_ > 0) {
      co_await unused_.wait();
    }
    live_view_.reset();
    if (pages_) {
      co_await pages_->close();
      pages_.reset();
    }
    browser_.reset();
  }
  if (gateway_) {
    co_await gateway_->close();
    gateway_.reset();
  }
}

SessionAccounts Session::accounts() const {
  if (!browser_) {
    return accounts_;
  }
  SessionAccounts accounts{.proxy_bytes = gateway_ ? gateway_->upstream_bytes() : 0};
  LimitsMet met = browser_->limits_met();
  if (met.memory) {
    accounts.limits_met.emplace_back("sessions.memory_mib_max");
  }
  if (met.processes) {
    accounts.limits_met.emplace_back("sessions.processes_max");
  }
  if (met.home) {
    accounts.limits_met.emplace_back("sessions.disk_mib_max");
  }
  return accounts;
}

Async<bool> Session::store_end() {
  if (has_row_) {
    auto stored = co_await outcome_of(table_.end(id_, status_, accounts(), *ended_at_));
    has_row_ = !stored.ok();
    if (!stored.ok()) {
      log_error("session_not_stored", {{"session", id_.text()}, {"cause", stored.error().cause()}});
    }
  }
  co_return !has_row_;
}

Async<> Session::prepare_browser() {
  slot_ = slots_.take(order_.team.text());
  SteadyTime begin = clock_.now();
  opened_at_ = clock_.wall_now();
  co_await table_.insert({.id = id_,
                          .team = order_.team,
                          .run = order_.run,
                          .status = SessionStatus::running,
                          .configuration = to_full_json(order_.config, order_.kind),
                          .created_at = created_at_,
                          .ended_at = std::nullopt});
  has_row_ = true;
  const Viewport viewport = order_.config.viewport.value_or(Viewport());
  browser_ = co_await browsers_.take(order_.kind, viewport);
  gateway_ = gateways_.open(
      {.listener = browser_->take_exit().listener, .upstream = upstream_, .owner = id_.text()});
  gateway_->start();
  browser_->devtools().on_close_request([this] { stop(SessionStatus::completed); });
  co_await browser_->resize(viewport);
  pages_ = std::make_unique<PageWatch>(executor_, clock_, *browser_,
                                       [this](const PageEvent& event) { notice(event); });
  live_view_ =
      std::make_unique<LiveView>(executor_, clock_, workers_, *browser_, *pages_, id_.text());
  start_recording();
  if (order_.config.initial_url) {
    std::vector<Async<>> either;  // a page may take long, and a wish to stop needn't wait for it
    either.push_back(browser_->open(*order_.config.initial_url));
    either.push_back(stop_wanted_.wait());
    co_await first_of(std::move(either));
  }
  std::chrono::duration<double, std::milli> took = clock_.now() - begin;
  log_info("session_ready", {{"session", id_.text()},
                             {"kind", to_text(order_.kind)},
                             {"after_ms", static_cast<int>(took.count())}});
}

void Session::start_recording() {
  Display* display = browser_->display();
  if (order_.config.recording.value_or(true) && display != nullptr) {
    recorder_ = recorders_.record(order_.team, id_, display);
  }
  was_recorded_ = recorder_ != nullptr;
  if (was_recorded_ || browser_->has_screen()) {
    pages_->start();  // for the timeline, and for dialogs that nobody would ever answer
  }
}

void Session::mark(std::string_view type, json::object what) {
  if (recorder_) {
    recorder_->mark(type, std::move(what));
  }
}

void Session::notice(const PageEvent& event) {
  switch (event.kind) {
    case PageEvent::Kind::opened:
      mark("tab_opened", {{"tab", event.target}, {"url", event.text}});
      break;
    case PageEvent::Kind::closed:
      mark("tab_closed", {{"tab", event.target}});
      break;
    case PageEvent::Kind::shown:
      mark("tab_shown", {{"tab", event.target}});
      break;
    case PageEvent::Kind::navigated:
      mark("navigation", {{"tab", event.target}, {"url", event.text}});
      break;
    case PageEvent::Kind::console_error:
      mark("console_error", {{"tab", event.target}, {"text", event.text}});
      break;
    case PageEvent::Kind::tabs:
    case PageEvent::Kind::dialog:
    case PageEvent::Kind::file_chooser:
      break;
  }
  if (live_view_) {
    live_view_->notice(event);
  }
}

Async<SessionStatus> Session::first_ending() {
  std::vector<SessionStatus> endings;
  std::vector<Async<>> waits;
  auto add = [&](SessionStatus ending, Async<> wait) {
    endings.push_back(ending);
    waits.push_back(std::move(wait));
  };
  add(SessionStatus::completed, stop_wanted_.wait());
  add(SessionStatus::crashed, browser_->gone());
  std::int64_t duration = order_.config.max_duration_min.value_or(default_max_duration_min);
  if (duration >= 0) {
    add(SessionStatus::max_duration, clock_.sleep(std::chrono::minutes(duration)));
  }
  std::int64_t idle = order_.config.idle_timeout_min.value_or(default_idle_timeout_min);
  if (idle >= 0) {
    add(SessionStatus::idle_timeout, idle_too_long(std::chrono::minutes(idle)));
  }
  SessionStatus ending = endings[co_await first_of(std::move(waits))];
  co_return ending == SessionStatus::crashed && browser_->has_quit() ? SessionStatus::completed
                                                                     : ending;
}

Async<> Session::idle_too_long(Duration limit) {
  while (true) {
    co_await unused_.wait();
    SteadyTime due = idle_since_ + limit;
    if (uses_ == 0 && clock_.now() >= due) {
      co_return;
    }
    if (uses_ == 0) {
      co_await clock_.sleep_until(due);
    }
  }
}

}  // namespace capstan
