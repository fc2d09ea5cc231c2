#include "cdp/party.h"

#include "base/log.h"
#include "cdp/devtools.h"

namespace capstan {
namespace {

// So that those who talk little never lack room.
constexpr std::size_t free_bytes = std::size_t{16} * 1024;

std::string_view to_text(Party::Expulsion why) {
  return why == Party::Expulsion::stalled ? "it takes nothing" : "no room for its messages";
}

}  // namespace

Party::Party(DevTools& devtools, const Executor& executor, PartyId id, std::string session_id,
             std::size_t queue_bytes_max, DevToolsAccounts& accounts)
    : devtools_(&devtools),
      id_(id),
      session_id_(std::move(session_id)),
      queue_(executor, queue_bytes_max),
      accounts_(accounts),
      held_(accounts.waiting, free_bytes),
      may_send_(executor),
      expelled_(executor) {
  accounts_.parties.insert(this);
}

Party::~Party() {
  accounts_.parties.erase(this);
  if (devtools_ != nullptr) {
    devtools_->leave(*this);
  }
}

Async<> Party::send(std::string message) {
  if (devtools_ != nullptr) {
    devtools_->check_size(message);
  }
  while (devtools_ != nullptr && !devtools_->has_room_for(*this)) {
    may_send_.clear();
    co_await may_send_.wait();
  }
  if (devtools_ != nullptr) {
    devtools_->take_from(*this, message);
  }
}

Async<std::optional<std::string>> Party::receive() {
  taken_bytes_ = 0;
  count_held();
  std::optional<std::string> message = co_await queue_.pop();
  if (expulsion_) {
    co_return std::nullopt;
  }
  taken_bytes_ = message ? queued_bytes(*message) : 0;
  if (devtools_ != nullptr) {
    may_send_.set();
    devtools_->taken_by(id_);
  }
  co_return message;
}

Async<> Party::expelled() { return expelled_.wait(); }

// When there is no room, whoever holds most has to go.
bool Party::make_room_for(const std::string& message) {
  coming_bytes_ += queued_bytes(message);
  while (!count_held()) {
    Party* largest = this;
    std::size_t most = queue_.weight() + taken_bytes_ + coming_bytes_;
    for (Party* other : accounts_.parties) {
      if (other != this && other->held_.bytes() > most) {
        largest = other;
        most = other->held_.bytes();
      }
    }
    largest->expel(Expulsion::no_room);
    if (largest == this) {
      return false;
    }
  }
  return true;
}

void Party::push(std::string message) {
  std::size_t weight = queued_bytes(message);
  queue_.push_now(std::move(message), weight);
  coming_bytes_ -= weight;
}

bool Party::count_held() {
  return held_.set(expulsion_ ? 0 : queue_.weight() + taken_bytes_ + coming_bytes_);
}

void Party::expel(Expulsion why) {
  log_warning(
      "devtools_party_expelled",
      {{"party", id_}, {"reason", to_text(why)}, {"bytes", queue_.weight() + taken_bytes_}});
  expulsion_ = why;
  expelled_.set();
  count_held();
  if (devtools_ != nullptr) {
    devtools_->leave(*this);
  }
}

void Party::end() {
  devtools_ = nullptr;
  coming_bytes_ = 0;
  count_held();
  queue_.close();
  may_send_.set();
}

}  // namespace capstan
