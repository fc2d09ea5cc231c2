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
constexpr std::size_t tickets_max = 100;  // of one link
constexpr std::size_t remembered_ends_max = 10000;

Error link_gone() {
  return Error(ErrorCode::gone, "this link leads nowhere any more: its session has ended");
}

}  // namespace

std::string_view to_text(LiveRole role) { return role == LiveRole::view ? "view" : "control"; }

std::string LiveLinks::make(SessionId session, LiveRole role, bool one_time) {
  std::string token = random_.hex(secret_bytes);
  links_.emplace(
      sha256_hex(token),
      Entry{.link = {.session = std::move(session), .role = role, .one_time = one_time}});
  return token;
}

LiveLinks::Entry& LiveLinks::entry(std::string_view token) {
  std::string hash = sha256_hex(token);
  auto found = links_.find(hash);
  if (found == links_.end()) {
    throw std::find(ended_.begin(), ended_.end(), hash) != ended_.end()
        ? link_gone()
        : Error(ErrorCode::not_found, "there is no such link");
  }
  return found->second;
}

const LiveLinks::Link& LiveLinks::find(std::string_view token) const {
  return const_cast<LiveLinks*>(this)->entry(token).link;
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
  return std::make_unique<Presence>(*this, sha256_hex(token), found->first);
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

void LiveLinks::end(std::map<Hash, Entry>::iterator entry) {
  ended_.push_back(entry->first);
  if (ended_.size() > remembered_ends_max) {
    ended_.pop_front();
  }
  links_.erase(entry);
}

bool LiveLinks::revoke(const SessionId& session, std::string_view token) {
  auto found = links_.find(sha256_hex(token));
  if (found == links_.end() || found->second.link.session != session) {
    return false;
  }
  end(found);
  return true;
}

void LiveLinks::end_all_of(const SessionId& session) {
  for (auto next = links_.begin(); next != links_.end();) {
    auto entry = next++;
    if (entry->second.link.session == session) {
      end(entry);
    }
  }
}

}  // namespace capstan
