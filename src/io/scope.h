#pragma once

#include <list>
#include <string>

#include <boost/asio/cancellation_signal.hpp>

#include "io/event.h"

namespace capstan {

// Owns background coroutines. It is the last member of its owner, who closes it before dying: a
// Scope that dies with work inside ends the process, because that work would go on with dangling
// references. A work's failure (but for being cancelled) is logged here and ends only that work.
class Scope {
 public:
  Scope(Executor executor, std::string name);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  void spawn(Async<> work);
  // Asks everything inside to stop at its next suspension.
  void cancel();
  // Waits until all has ended by itself.
  Async<> drain();
  // cancel(), then drain().
  Async<> close();

  std::size_t size() const { return running_.size(); }

 private:
  using Running = std::list<asio::cancellation_signal>;
  void ended(Running::iterator entry, const std::exception_ptr& failure);

  Executor executor_;
  std::string name_;
  Running running_;
  Event empty_;
};

}  // namespace capstan
