#include "cdp/party.h"

#include "cdp/devtools.h"

namespace capstan {

Party::Party(DevTools& devtools, const Executor& executor, PartyId id, std::string session_id,
             std::size_t queue_bytes_max)
    : devtools_(&devtools),
      id_(id),
      session_id_(std::move(session_id)),
      queue_(executor, queue_bytes_max),
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
  std::optional<std::string> message = co_await queue_.pop();
  if (expelled_.is_set()) {
    co_return std::nullopt;
  }
  if (devtools_ != nullptr) {
    may_send_.set();
    devtools_->taken_by(id_);
  }
  co_return message;
}

Async<> Party::expelled() { return expelled_.wait(); }

void Party::push(std::string message) {
  std::size_t weight = queued_bytes(message);
  queue_.push_now(std::move(message), weight);
}

void Party::end() {
  devtools_ = nullptr;
  queue_.close();
  may_send_.set();
}

}  // namespace capstan
