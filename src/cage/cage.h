#pragma once

#include <map>
#include <memory>
#include <set>

#include "cage/child.h"
#include "cage/control_groups.h"
#include "cage/launch.h"
#include "cage/level.h"
#include "cage/order.h"
#include "cage/user_ids.h"
#include "io/scope.h"
#include "io/work_folder.h"
#include "io/workers.h"

namespace capstan {

// Starts every foreign program that the server runs, tasks and browsers, each in a cage of its own:
// its own files, processes, network and limits, as far as the machine gives them
// (docs/guide/security.md). All die with the server, also when it is killed.
//
// Owned by App; outlives all children. close() kills what still runs and waits until it is gone.
class Cage {
 public:
  Cage(Executor executor, WorkFolder& work_folder);

  // Finds out what the machine gives, by trying to get out of one cage of each kind and level,
  // from `level_max` down. Before that, and where everything gets through, the level is none.
  Async<> find_levels(IsolationLevel level_max);
  const Isolation& isolation(CageKind kind) const { return isolation_.at(kind); }
  // What holds a bound of a cage at this level: "cgroup" for the whole of it; "rlimit" for each of
  // its processes (memory), or for its user (processes); or "none".
  std::string_view memory_bound(CageKind kind) const;
  std::string_view processes_bound(IsolationLevel level) const;

  // Throws unavailable when the program can't be started.
  Async<std::unique_ptr<Child>> start(ChildOrder order);
  // The same at a level that need not be the one that was found.
  Async<std::unique_ptr<Child>> start_at(IsolationLevel level, ChildOrder order);

  std::size_t child_count() const { return children_.size(); }
  // Starts nothing more, kills all children, and waits until they are gone.
  Async<> close();

 private:
  struct Site;
  struct Begun {
    Launched launched;
    std::vector<Fd> doors;
    std::unique_ptr<ControlGroup> control_group;
  };
  Async<Isolation> find_level(CageKind kind, IsolationLevel level_max);
  Fd filter_for(CageKind kind, IsolationLevel level);
  // An id under which nothing runs; nothing where cages can't have users of their own.
  Async<std::optional<std::uint32_t>> take_user();
  void prepare(Site& site, const ChildOrder& order);
  Async<Begun> begin_at(Site* site, ChildOrder order);
  Async<Begun> begin(std::shared_ptr<LaunchOrder> order, CageLimits limits);
  Async<> reap(std::shared_ptr<Child::Process> process);
  Async<> clean_up(std::shared_ptr<Child::Process> process);
  // Whether that could be done.
  Async<bool> end_all_of(std::uint32_t user);

  Executor executor_;
  WorkFolder& work_folder_;
  const Fd launcher_;
  ControlGroups control_groups_;
  UserIds user_ids_;
  std::map<std::pair<CageKind, IsolationLevel>, Fd> filters_;
  std::map<CageKind, Isolation> isolation_;
  bool closing_ = false;
  // The parent-death signal follows the thread that starts a child, so all are started by this
  // one, which lives as long as the cage.
  Workers starter_{1};
  Workers cleaner_{1};
  std::set<std::shared_ptr<Child::Process>> children_;
  Scope reapers_;
};

}  // namespace capstan
