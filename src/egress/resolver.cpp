#include "egress/resolver.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <netdb.h>
#include <netinet/in.h>
#include <thread>

#include <boost/asio/post.hpp>

#include "io/race.h"

namespace capstan {

Addresses look_up_with_system(const std::string& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  int failure = ::getaddrinfo(name.c_str(), nullptr, &hints, &found);
  if (failure == EAI_NONAME || failure == EAI_NODATA) {
    throw Error(ErrorCode::not_found, "there is no address for the name " + name);
  }
  if (failure != 0) {
    throw Error(ErrorCode::unavailable, "the name " + name + " can't be looked up now",
                ::gai_strerror(failure));
  }
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
  Addresses addresses;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    if (each->ai_family == AF_INET) {
      auto* v4 = reinterpret_cast<const sockaddr_in*>(each->ai_addr);
      addresses.emplace_back(asio::ip::address_v4(ntohl(v4->sin_addr.s_addr)));
    } else if (each->ai_family == AF_INET6) {
      asio::ip::address_v6::bytes_type bytes;
      auto* v6 = reinterpret_cast<const sockaddr_in6*>(each->ai_addr);
      std::copy_n(v6->sin6_addr.s6_addr, bytes.size(), bytes.begin());
      addresses.emplace_back(asio::ip::address_v6(bytes));
    }
  }
  return addresses;
}

// One lookup, for everybody of the same asker who wants the same name.
struct Resolver::Lookup {
  Lookup(const Executor& executor, Asker who, std::string what)
      : asker(who), name(std::move(what)), done(executor) {}

  Asker asker;
  std::string name;
  std::size_t waiting = 0;
  bool is_running = false;
  Event done;
  Outcome<Addresses> outcome;
};

// What the loop and the threads share. It lives as long as any of them.
struct Resolver::Desk {
  struct Job {
    LookupId id;
    std::string name;
  };
  struct Worker {
    std::thread thread;
    bool is_busy = false;
  };

  Desk(Executor loop, LookUp how, Resolver* resolver)
      : executor(std::move(loop)), look_up(std::move(how)), owner(resolver) {}

  const Executor executor;
  const LookUp look_up;
  Resolver* owner;  // of interest to the loop alone; null once it is gone

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Job> jobs;
  std::deque<Worker> workers;
  std::size_t idle = 0;
  bool is_closed = false;
};

// Takes a lookup that nobody waits for any more out of the line.
struct Resolver::Waiting {
  Waiting(Resolver* owner, LookupId which)
      : resolver(owner), id(which), lookup(owner->lookups_.at(which)) {
    ++lookup->waiting;
  }
  ~Waiting() {
    if (--lookup->waiting == 0 && !lookup->is_running) {
      resolver->lookups_.erase(id);
    }
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  Resolver* resolver;
  LookupId id;
  std::shared_ptr<Lookup> lookup;
};

Resolver::Resolver(Executor executor, Clock& clock, ResolverLimits limits, LookUp look_up)
    : executor_(std::move(executor)),
      clock_(clock),
      limits_(limits),
      desk_(std::make_shared<Desk>(executor_, std::move(look_up), this)) {}

Resolver::~Resolver() {
  CHECK(std::all_of(lookups_.begin(), lookups_.end(),
                    [](const auto& entry) { return entry.second->waiting == 0; }));
  std::vector<std::thread> ending;
  {
    std::lock_guard lock(desk_->mutex);
    desk_->is_closed = true;
    desk_->owner = nullptr;
    for (Desk::Worker& worker : desk_->workers) {
      if (worker.is_busy) {
        worker.thread.detach();
      } else {
        ending.push_back(std::move(worker.thread));
      }
    }
  }
  desk_->changed.notify_all();
  for (std::thread& thread : ending) {
    thread.join();
  }
}

Async<Addresses> Resolver::resolve(Asker asker, std::string name) {
  if (auto known = memory_.find(name); known != memory_.end()) {
    if (clock_.now() < known->second.until) {
      co_return known->second.addresses;
    }
    memory_.erase(known);
  }
  Waiting waiting(this, order(asker, name));
  start_lookups();
  co_await within(clock_, limits_.answer_time_max, waiting.lookup->done.wait(),
                  "looking up the name " + name + " takes too long");
  auto outcome = waiting.lookup->outcome;
  co_return std::move(outcome).take();
}

// The lookup to wait for: one that is under way already, or a new one.
Resolver::LookupId Resolver::order(Asker asker, const std::string& name) {
  for (const auto& [id, lookup] : lookups_) {
    if (lookup->asker == asker && lookup->name == name) {
      return id;
    }
  }
  if (lookups_.size() >= limits_.lookups_max) {
    throw Error(ErrorCode::resource_exhausted, "too many names are being looked up");
  }
  lookups_.emplace(++last_, std::make_shared<Lookup>(executor_, asker, name));
  return last_;
}

void Resolver::start_lookups() {
  std::vector<LookupId> ids;
  for (const auto& [id, lookup] : lookups_) {
    if (running_count_ == limits_.threads_max) {
      break;
    }
    if (!lookup->is_running && running_[lookup->asker] < limits_.threads_per_asker_max) {
      lookup->is_running = true;
      ++running_[lookup->asker];
      ++running_count_;
      ids.push_back(id);
    }
  }
  for (LookupId id : ids) {
    start(id);
  }
}

void Resolver::start(LookupId id) {
  auto outcome = outcome_of_call([&] {
    std::lock_guard lock(desk_->mutex);
    // A thread that has just finished may not have come back for more yet.
    if (desk_->idle <= desk_->jobs.size() && desk_->workers.size() < limits_.threads_max) {
      std::size_t place = desk_->workers.size();
      // The new thread waits for the lock, and so for its own entry.
      desk_->workers.push_back({std::thread(work, desk_, place)});
    }
    desk_->jobs.push_back({id, lookups_.at(id)->name});
  });
  if (outcome.ok()) {
    desk_->changed.notify_one();
  } else {
    Error error(ErrorCode::unavailable, "names can't be looked up now", outcome.error().cause());
    finish(id, Outcome<Addresses>(std::move(error)));
  }
}

// The life of a thread.
void Resolver::work(const std::shared_ptr<Desk>& desk, std::size_t place) {
  std::unique_lock lock(desk->mutex);
  while (true) {
    ++desk->idle;
    desk->changed.wait(lock, [&] { return desk->is_closed || !desk->jobs.empty(); });
    --desk->idle;
    if (desk->is_closed) {
      return;
    }
    Desk::Job job = std::move(desk->jobs.front());
    desk->jobs.pop_front();
    desk->workers[place].is_busy = true;
    lock.unlock();
    auto outcome = outcome_of_call([&] { return desk->look_up(job.name); });
    lock.lock();
    if (desk->is_closed) {
      return;
    }
    desk->workers[place].is_busy = false;
    // Under the lock, so that the loop can't be gone yet.
    asio::post(desk->executor, [desk, id = job.id, outcome = std::move(outcome)]() mutable {
      if (desk->owner != nullptr) {
        desk->owner->finish(id, std::move(outcome));
      }
    });
  }
}

void Resolver::finish(LookupId id, Outcome<Addresses> outcome) {
  auto entry = lookups_.find(id);
  std::shared_ptr<Lookup> lookup = entry->second;
  lookups_.erase(entry);
  --running_count_;
  if (--running_[lookup->asker] == 0) {
    running_.erase(lookup->asker);
  }
  if (outcome.ok() && outcome.value().empty()) {
    outcome = Outcome<Addresses>(
        Error(ErrorCode::not_found, "there is no address for the name " + lookup->name));
  }
  if (outcome.ok()) {
    remember(lookup->name, outcome.value());
  }
  lookup->outcome = std::move(outcome);
  lookup->done.set();
  start_lookups();
}

void Resolver::remember(const std::string& name, const Addresses& addresses) {
  const SteadyTime now = clock_.now();
  if (memory_.size() >= limits_.memory_names_max) {
    std::erase_if(memory_, [&](const auto& entry) { return entry.second.until <= now; });
  }
  if (memory_.size() < limits_.memory_names_max) {
    memory_[name] = {addresses, now + limits_.memory_time};
  }
}

}  // namespace capstan
