#include "session/live_links.h"

#include <algorithm>

#include "base/error.h"
#include "base/secret.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t secret_bytes = 32;
// How long a viewer may be away and come back: a reload, a lift, a change of network.
constexpr auto absence_max = 60s;
constexpr std::ptrdiff_t links_max = 100;  // of one session
constexpr std::size_t tickets_max = 100;   // of one link
constexpr auto afterwards_max = 1h;
constexpr std::size_t remembered_ends_max = 10000;

Error link_gone(bool is_revoked) {
  return Error(ErrorCode::gone, is_revoked
                                    ? "this link was taken back"
                                    : "this link leads nowhere any more: its session has ended");
}

Error no_such_link() { return Error(ErrorCode::not_found, "there is no such link"); }

}  // namespace

std::string_view to_text(LiveRole role) { return role == LiveRole::view ? "view" : "control"; }

std::string LiveLinks::make(Link link) {
  auto count = std::count_if(links_.begin(), links_.end(), [&](const auto& entry) {
    return entry.second.link.session == link.session;
  });
  if (count >= links_max) {
    throw Error(ErrorCode::resource_exhausted,
                "a session has at most 100 links at a time; take some back");
  }
  std::string token = random_.hex(secret_bytes);
  links_.emplace(sha256_hex(token),
                 Entry{.link = std::move(link), .revoked = std::make_shared<Event>(executor_)});
  return token;
}

LiveLinks::Entry& LiveLinks::entry(std::string_view token) {
  std::string hash = sha256_hex(token);
  auto found = links_.find(hash);
  if (found == links_.end()) {
    auto ended = ended_.find(hash);
    throw ended != ended_.end() ? link_gone(!ended->second.ending) : no_such_link();
  }
  return found->second;
}

bool LiveLinks::holds(const Ticket& ticket) const {
  return ticket.presences > 0 || clock_.now() - ticket.left_at < absence_max;
}

void LiveLinks::forget_old_tickets(Entry& entry) {
  std::erase_if(entry.tickets, [this](const auto& ticket) { return !holds(ticket.second); });
}

std::string LiveLinks::claim(std::string_view token, std::string_view ticket) {
  Entry& link = entry(token);
  forget_old_tickets(link);
  if (!ticket.empty() && link.tickets.contains(sha256_hex(ticket))) {
    link.tickets.at(sha256_hex(ticket)).left_at = clock_.now();
    return std::string(ticket);
  }
  if (link.link.one_time && link.is_claimed) {
    throw Error(ErrorCode::gone, "this link was for one viewer, and somebody has used it");
  }
  if (link.tickets.size() >= tickets_max) {
    throw Error(ErrorCode::resource_exhausted, "too many viewers use this link");
  }
  link.is_claimed = true;
  std::string made = random_.hex(secret_bytes);
  link.tickets[sha256_hex(made)].left_at = clock_.now();
  return made;
}

std::unique_ptr<LiveLinks::Presence> LiveLinks::enter(std::string_view token,
                                                      std::string_view ticket) {
  Entry& link = entry(token);
  forget_old_tickets(link);
  auto found = link.tickets.find(sha256_hex(ticket));
  if (found == link.tickets.end()) {
    throw Error(ErrorCode::unauthenticated, "this ticket does not hold any more; claim the link");
  }
  ++found->second.presences;
  return std::make_unique<Presence>(*this, sha256_hex(token), found->first, link.revoked);
}

void LiveLinks::leave(const Hash& link, const Hash& ticket) {
  auto entry = links_.find(link);
  if (entry == links_.end()) {
    return;
  }
  auto held = entry->second.tickets.find(ticket);
  if (held != entry->second.tickets.end()) {
    --held->second.presences;
    held->second.left_at = clock_.now();
  }
}

LiveLinks::Seen LiveLinks::seen_by(std::string_view token, std::string_view ticket) const {
  std::string hash = sha256_hex(token);
  auto open = links_.find(hash);
  auto ended = ended_.find(hash);
  if (open == links_.end() && ended == ended_.end()) {
    throw no_such_link();
  }
  bool is_late = open == links_.end() &&
                 (!ended->second.ending || clock_.now() - ended->second.at > afterwards_max);
  if (is_late) {
    throw link_gone(!ended->second.ending);
  }
  const Entry& entry = open != links_.end() ? open->second : ended->second.entry;
  auto held = entry.tickets.find(sha256_hex(ticket));
  if (held == entry.tickets.end() || (open != links_.end() && !holds(held->second))) {
    throw Error(ErrorCode::unauthenticated, "this ticket does not hold any more");
  }
  return {.link = entry.link, .ending = open != links_.end() ? std::nullopt : ended->second.ending};
}

void LiveLinks::end(std::map<Hash, Entry>::iterator entry, std::optional<Ending> ending) {
  forget_old_tickets(entry->second);
  ends_.push_back(entry->first);
  ended_.emplace(entry->first,
                 Ended{.entry = std::move(entry->second), .ending = ending, .at = clock_.now()});
  if (ends_.size() > remembered_ends_max) {
    ended_.erase(ends_.front());
    ends_.pop_front();
  }
  links_.erase(entry);
}

bool LiveLinks::revoke(const SessionId& session, std::string_view token) {
  auto found = links_.find(sha256_hex(token));
  if (found == links_.end() || found->second.link.session != session) {
    return false;
  }
  found->second.revoked->set();
  end(found, std::nullopt);
  return true;
}

void LiveLinks::end_all_of(const SessionId& session, Ending ending) {
  for (auto next = links_.begin(); next != links_.end();) {
    auto entry = next++;
    if (entry->second.link.session == session) {
      end(entry, ending);
    }
  }
}

}  // namespace capstan
