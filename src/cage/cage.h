#pragma once

#include <memory>
#include <set>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "cage/child.h"
#include "cage/level.h"
#include "cage/order.h"
#include "io/scope.h"
#include "io/workers.h"

namespace capstan {

// Starts every foreign process that the server runs: browsers, tasks, the bundler. Each has its
// own session and process group, dies with the server, and has nothing of the server's environment
// or descriptors. This is the first floor of the cage; namespaces, seccomp, Landlock and the
// egress gateway come on top of it behind the same interface.
//
// Owned by App; outlives all children. close() kills what still runs and waits until it is gone.
class Cage {
 public:
  explicit Cage(Executor executor);

  const Isolation& isolation() const { return isolation_; }

  // Throws unavailable when the process can't be started.
  Async<std::unique_ptr<Child>> start(ChildOrder order);

  std::size_t child_count() const { return children_.size(); }
  // Starts nothing more, kills all children, and waits until they are gone.
  Async<> close();

 private:
  Async<> reap(std::shared_ptr<Child::Process> process);

  Executor executor_;
  Isolation isolation_;
  bool closing_ = false;
  // The parent-death signal follows the thread that starts a child, so all are started by this
  // one, which lives as long as the cage.
  Workers starter_{1};
  std::set<std::shared_ptr<Child::Process>> children_;
  Scope reapers_;
};

}  // namespace capstan
