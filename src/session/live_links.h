#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "io/clock.h"
#include "io/event.h"
#include "session/session_table.h"

namespace capstan {

// What somebody may do who watches a session live.
enum class LiveRole { view, control };

std::string_view to_text(LiveRole role);

// The links to sessions' live views. Whoever has one needs no key: it is a secret, of which only
// the hash is kept, and it dies with its session. To open a page spends nothing, since programs
// that show previews of links do that too; the page claims the link, and gets a ticket, with which
// the same viewer comes back after a reload or a broken line.
//
// In memory only: the session that a link leads to doesn't outlive the server either.
class LiveLinks {
 public:
  LiveLinks(Executor executor, Clock& clock, Random& random)
      : executor_(executor), clock_(clock), random_(random) {}

  struct Link {
    SessionId session;
    TeamId team;  // whose session it is
    LiveRole role = LiveRole::view;
    bool one_time = false;
  };
  // A new link's token. A one-time link lets one viewer in, and nobody else after that. Throws
  // resource_exhausted for too many of one session.
  std::string make(Link link);
  // Throws not_found for what is no link, and gone once it leads nowhere.
  const Link& find(std::string_view token) { return entry(token).link; }

  // Lets a viewer in, who had the ticket of before if it is given. Throws what find() throws, gone
  // for a one-time link that is somebody else's, and resource_exhausted for too many.
  std::string claim(std::string_view token, std::string_view ticket);

  // While it lives, the viewer with the ticket is there.
  class Presence;
  // Throws what find() throws, and unauthenticated for a ticket that doesn't hold any more.
  std::unique_ptr<Presence> enter(std::string_view token, std::string_view ticket);
  // How a session has ended.
  struct Ending {
    SessionStatus status = SessionStatus::completed;
    bool was_recorded = false;
  };
  struct Seen {
    Link link;
    std::optional<Ending> ending;  // once the session has ended
  };
  // Who was there when the session ended may come back for what was recorded, for an hour. Throws
  // not_found for what is no link, gone once it is too late, and unauthenticated for a ticket that
  // doesn't hold.
  Seen seen_by(std::string_view token, std::string_view ticket) const;

  // The link leads nowhere from now on, and who came by it is sent away. False if the session has
  // no such link.
  bool revoke(const SessionId& session, std::string_view token);
  void end_all_of(const SessionId& session, Ending ending);

 private:
  struct Ticket {
    std::size_t presences = 0;
    SteadyTime left_at;  // or claimed, if nobody has entered yet
  };
  struct Entry {
    Link link;
    std::shared_ptr<Event> revoked;
    std::map<std::string, Ticket> tickets = {};  // by their hashes
    bool is_claimed = false;
  };
  using Hash = std::string;

  Entry& entry(std::string_view token);
  bool holds(const Ticket& ticket) const;
  void forget_old_tickets(Entry& entry);
  void leave(const Hash& link, const Hash& ticket);
  // `ending` is nothing for a link that was taken back.
  void end(std::map<Hash, Entry>::iterator entry, std::optional<Ending> ending);

  Executor executor_;
  Clock& clock_;
  Random& random_;
  std::map<Hash, Entry> links_;
  // The last ones, so that who comes late is told what has happened.
  struct Ended {
    Entry entry;
    std::optional<Ending> ending;  // nothing if it was taken back
    SteadyTime at;
  };
  std::map<Hash, Ended> ended_;
  std::deque<Hash> ends_;  // in their order
};

class LiveLinks::Presence {
 public:
  Presence(LiveLinks& links, std::string link, std::string ticket, std::shared_ptr<Event> revoked)
      : links_(links),
        link_(std::move(link)),
        ticket_(std::move(ticket)),
        revoked_(std::move(revoked)) {}
  ~Presence() { links_.leave(link_, ticket_); }
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;

  // Waits until the link is taken back.
  Async<> revoked() const { return revoked_->wait(); }
  bool is_revoked() const { return revoked_->is_set(); }
  // The viewer, whatever connections it has; no secret.
  const std::string& viewer() const { return ticket_; }

 private:
  LiveLinks& links_;
  const std::string link_;
  const std::string ticket_;
  const std::shared_ptr<Event> revoked_;
};

}  // namespace capstan
