#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "base/time.h"
#include "io/clock.h"
#include "io/event.h"
#include "io/outcome.h"

namespace capstan {

struct ResolverLimits {
  // A name whose server doesn't answer holds its thread for 10 s and more, and a page can name
  // many such: no asker gets more than its share of the threads.
  std::size_t threads_max = 64;
  std::size_t threads_per_asker_max = 6;
  std::size_t lookups_max = 4096;  // waiting ones included
  Duration answer_time_max = std::chrono::seconds(10);
  // Every connection asks, also those that a browser makes to the same place: it trusts an answer
  // for a minute.
  Duration memory_time = std::chrono::seconds(30);
  std::size_t memory_names_max = 1024;
};

using Addresses = std::vector<asio::ip::address>;

// Asks the system, with /etc/hosts and whatever else it is set up with; blocks. Throws not_found
// for a name that doesn't exist, unavailable when nobody could tell.
Addresses look_up_with_system(const std::string& name);

// Finds the addresses of names, on threads of its own. It judges nothing. One for the server;
// outlives whoever asks.
class Resolver {
 public:
  using LookUp = std::function<Addresses(const std::string& name)>;
  // `look_up` runs on several threads at once.
  Resolver(Executor executor, Clock& clock, ResolverLimits limits = {},
           LookUp look_up = look_up_with_system);
  // Doesn't wait for the system, which may take long and can't be stopped: a thread that is in the
  // middle of a lookup ends behind our back, and touches nothing of ours any more.
  ~Resolver();

  // Who asks: a share of the threads goes with it.
  using Asker = std::uint64_t;
  Asker new_asker() { return ++askers_; }

  // At least one address. Throws what the lookup threw, deadline_exceeded for an answer that
  // takes too long, resource_exhausted when too many wait.
  Async<Addresses> resolve(Asker asker, std::string name);

 private:
  using LookupId = std::uint64_t;
  struct Lookup;
  struct Desk;
  struct Waiting;
  struct Remembered {
    Addresses addresses;
    SteadyTime until;
  };
  static void work(const std::shared_ptr<Desk>& desk, std::size_t place);
  LookupId order(Asker asker, const std::string& name);
  void start_lookups();
  void start(LookupId id);
  void finish(LookupId id, Outcome<Addresses> outcome);
  void remember(const std::string& name, const Addresses& addresses);

  Executor executor_;
  Clock& clock_;
  ResolverLimits limits_;
  Asker askers_ = 0;
  LookupId last_ = 0;
  std::map<LookupId, std::shared_ptr<Lookup>> lookups_;  // the oldest first
  std::map<Asker, std::size_t> running_;                 // lookups that are on a thread
  std::size_t running_count_ = 0;
  std::map<std::string, Remembered> memory_;
  std::shared_ptr<Desk> desk_;  // shared with the threads
};

}  // namespace capstan
