#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "io/clock.h"
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
  LiveLinks(Clock& clock, Random& random) : clock_(clock), random_(random) {}

  // A new link's token. A one-time link lets one viewer in, and nobody else after that.
  std::string make(SessionId session, LiveRole role, bool one_time);

  struct Link {
    SessionId session;
    LiveRole role = LiveRole::view;
    bool one_time = false;
  };
  // Throws not_found for what is no link, and gone once it leads nowhere.
  const Link& find(std::string_view token) const;

  // Lets a viewer in, who had the ticket of before if it is given. Throws what find() throws, gone
  // for a one-time link that is somebody else's, and resource_exhausted for too many.
  std::string claim(std::string_view token, std::string_view ticket);

  // While it lives, the viewer with the ticket is there.
  class Presence;
  // Throws what find() throws, and unauthenticated for a ticket that doesn't hold any more.
  std::unique_ptr<Presence> enter(std::string_view token, std::string_view ticket);

  // The link leads nowhere from now on. False if the session has no such link.
  bool revoke(const SessionId& session, std::string_view token);
  void end_all_of(const SessionId& session);

 private:
  struct Ticket {
    std::size_t presences = 0;
    SteadyTime left_at;  // or claimed, if nobody has entered yet
  };
  struct Entry {
    Link link;
    std::map<std::string, Ticket> tickets = {};  // by their hashes
    bool is_claimed = false;
  };
  using Hash = std::string;

  Entry& entry(std::string_view token);
  bool holds(const Ticket& ticket) const;
  void forget_old_tickets(Entry& entry);
  void leave(const Hash& link, const Hash& ticket);
  void end(std::map<Hash, Entry>::iterator entry);

  Clock& clock_;
  Random& random_;
  std::map<Hash, Entry> links_;
  std::deque<Hash> ended_;  // the last ones, so that who comes late is told what has happened
};

class LiveLinks::Presence {
 public:
  Presence(LiveLinks& links, std::string link, std::string ticket)
      : links_(links), link_(std::move(link)), ticket_(std::move(ticket)) {}
  ~Presence() { links_.leave(link_, ticket_); }
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;

 private:
  LiveLinks& links_;
  const std::string link_;
  const std::string ticket_;
};

}  // namespace capstan
