#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "browser/browsers.h"
#include "egress/gateways.h"
#include "session/live_links.h"
#include "session/recorder.h"
#include "session/session_config.h"
#include "session/session_table.h"
#include "session/slots.h"

namespace capstan {

class LiveView;
class PageWatch;
struct PageEvent;

struct SessionOrder {
  TeamId team;
  SessionConfig config;
  BrowserKind kind = BrowserKind::headful;
  std::string run = {};  // the run that opens it; empty if none
};

// One browser session, from opening to end. It exists from its order on, and has a browser from
// open() on. Sessions owns it and runs its life; others hold it for the length of one use, and
// only ask it things, or ask it to stop. An ended session answers not_found.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Executor executor, Clock& clock, Browsers& browsers, Gateways& gateways,
          Recorders& recorders, Workers& workers, SessionTable& table, Slots& slots, SessionId id,
          std::string token, SessionOrder order, std::optional<Upstream> upstream);
  ~Session();

  const SessionId& id() const { return id_; }
  const TeamId& team() const { return order_.team; }
  const std::string& run() const { return order_.run; }
  const SessionConfig& config() const { return order_.config; }
  BrowserKind kind() const { return order_.kind; }
  // The proxy that its traffic leaves through; nothing if it goes without one.
  const std::optional<Upstream>& upstream() const { return upstream_; }
  // So far; of a session that has ended, for good.
  SessionAccounts accounts() const;
  WallTime created_at() const { return created_at_; }
  // When max_duration ends it; nothing while it has no browser, once it has ended, or without
  // limit.
  std::optional<WallTime> expires_at() const;
  // Not running from stop() on, though it still has things to put away.
  SessionStatus status() const { return status_; }
  std::optional<WallTime> ended_at() const { return ended_at_; }
  // What a client shows instead of an API key to reach this session's DevTools, and nothing else.
  bool is_token(std::string_view text) const;
  const std::string& token() const { return token_; }
  // More of them, which can be taken back one by one. Throws resource_exhausted for too many.
  void add_token(std::string_view token);
  // False if there is no such token, or it is the first one.
  bool revoke_token(std::string_view token);
  // Set once the added token is taken back; null for any other text.
  std::shared_ptr<Event> revocation_of(std::string_view token) const;
  // Notes in the recording's timeline, if there is one, what happens now.
  void mark(std::string_view type, json::object what);
  // Who records it; null while nobody does.
  const std::shared_ptr<Recorder>& recorder() const { return recorder_; }
  bool was_recorded() const { return was_recorded_; }

  // While a Use lives, somebody is using the session: its idle clock stands still, and its browser
  // is not taken down.
  class Use {
   public:
    Use(std::shared_ptr<Session> session, bool is_activity);
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    Browser& browser() const { return *session_->browser_; }
    Session& session() const { return *session_; }

   private:
    std::shared_ptr<Session> session_;
    const bool is_activity_;
  };
  // Shows it to those who watch it live. Only during a use.
  LiveView& live_view() const { return *live_view_; }
  PageWatch& pages() const { return *pages_; }

  // Asks the session to open its browser, without waiting.
  void open() { open_wanted_.set(); }
  bool has_opened() const { return open_wanted_.is_set(); }
  // Opens the browser if that has not been done, waits until it is ready, and begins a use. Throws
  // what kept it from opening; not_found once the session has ended.
  Async<std::unique_ptr<Use>> use();
  // The same for who only looks at it: its idle clock goes on.
  Async<std::unique_ptr<Use>> glance();

  // Ends the session: it has that status at once, unless it has ended for another reason before.
  void stop(SessionStatus reason);
  // Waits until it was asked to end, or ends.
  Async<> stopping() { return stop_wanted_.wait(); }
  // Waits until its slot is free and its end on the disk, if that can be written; which is before
  // its browser's processes have gone.
  Async<> ended() { return ended_.wait(); }

  // The whole life; Sessions alone calls it, once, and never cancels it.
  Async<> live();
  // Writes the end to the disk unless that is done; false if it can't be written at the moment.
  Async<bool> store_end();

 private:
  Async<> become_usable();
  Async<SessionStatus> live_with_browser();
  Async<> prepare_browser();
  void start_recording();
  void notice(const PageEvent& event);
  Async<SessionStatus> first_ending();
  Async<> idle_too_long(Duration limit);
  void note_failure(const Error& error);
  void finish();
  Async<> put_away();

  Clock& clock_;
  Browsers& browsers_;
  Gateways& gateways_;
  Recorders& recorders_;
  Workers& workers_;
  SessionTable& table_;
  Slots& slots_;
  const SessionId id_;
  const std::string token_;
  const SessionOrder order_;
  const std::optional<Upstream> upstream_;  // with its password, so never to be shown
  const WallTime created_at_;

  SessionStatus status_ = SessionStatus::running;
  Event open_wanted_;
  Event ready_;  // open, or failed to open
  std::optional<Error> failure_;
  Event stop_wanted_;
  std::optional<WallTime> ended_at_;
  bool has_row_ = false;  // one that does not say yet that it has ended
  Event ended_;

  std::optional<WallTime> opened_at_;
  Slot slot_;
  std::unique_ptr<Browser> browser_;
  // The browser's only way out, which it may use until it has gone.
  std::unique_ptr<Gateway> gateway_;
  std::shared_ptr<Recorder> recorder_;
  bool was_recorded_ = false;
  std::unique_ptr<PageWatch> pages_;
  std::unique_ptr<LiveView> live_view_;
  SessionAccounts accounts_;                                    // once the browser has gone
  std::map<std::string, std::shared_ptr<Event>> added_tokens_;  // by their hashes
  std::size_t uses_ = 0;
  SteadyTime idle_since_;
  Event unused_;
  Executor executor_;
};

}  // namespace capstan
