#include "io/scope.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include "base/check.h"
#include "base/log.h"
#include "io/outcome.h"

namespace capstan {

Scope::Scope(Executor executor, std::string name)
    : executor_(std::move(executor)), name_(std::move(name)), empty_(executor_) {
  empty_.set();
}

Scope::~Scope() { CHECK(running_.empty()); }

void Scope::spawn(Async<> work) {
  empty_.clear();
  auto entry = running_.emplace(running_.end());
  asio::co_spawn(
      executor_, std::move(work),
      asio::bind_cancellation_slot(entry->slot(), [this, entry](const std::exception_ptr& failure) {
        ended(entry, failure);
      }));
}

void Scope::ended(Running::iterator entry, const std::exception_ptr& failure) {
  if (failure) {
    Error error = to_error(failure);
    if (error.code() != ErrorCode::cancelled) {
      log_error("work_failed",
                {{"scope", name_}, {"message", error.message()}, {"cause", error.cause()}});
    }
  }
  running_.erase(entry);
  if (running_.empty()) {
    empty_.set();
  }
}

void Scope::cancel() {
  // Emitting may end a work at once, and with it its entry.
  for (auto entry = running_.begin(); entry != running_.end();) {
    auto& signal = *entry++;
    signal.emit(asio::cancellation_type::terminal);
  }
}

Async<> Scope::drain() {
  while (!running_.empty()) {
    co_await empty_.wait();
  }
}

Async<> Scope::close() {
  cancel();
  co_await drain();
}

}  // namespace capstan
