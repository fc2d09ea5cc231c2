#include "cdp/party.h"

#include "cdp/devtools.h"

namespace capstan {
namespace {

constexpr std::size_t free_bytes = std::size_t{16} * 1024;

}  // namespace

Party::Party(DevTools& devtools, const Executor& executor, PartyId id, std::string session_id,
             std::size_t queue_bytes_max, ByteBudget& waiting)
    : devtools_(&devtools),
      id_(id),
      session_id_(std::move(session_id)),
      queue_(executor, queue_bytes_max),
      held_(waiting),
      may_send_(executor),
      expelled_(executor) {}

Party::~Party() {
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
  hold(queue_.weight());
  std::optional<std::string> message = co_await queue_.pop();
  if (expelled_.is_set()) {
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

bool Party::push(std::string message) {
  std::size_t weight = queued_bytes(message);
  if (!hold(queue_.weight() + weight)) {
    return false;
  }
  queue_.push_now(std::move(message), weight);
  return true;
}

// A little is everybody's without asking, so that those who talk little are never put out.
bool Party::hold(std::size_t waiting_bytes) {
  std::size_t bytes = waiting_bytes + taken_bytes_;
  return held_.set(bytes > free_bytes ? bytes : 0);
}

void Party::end() {
  devtools_ = nullptr;
  queue_.close();
  may_send_.set();
}

}  // namespace capstan
