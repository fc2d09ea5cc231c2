#include "cage/cage.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/check.h"
#include "base/log.h"
#include "cage/escape_trial.h"
#include "cage/launch.h"
#include "cage/programs.h"
#include "cage/syscall_filter.h"
#include "cage/walls.h"

namespace capstan {
namespace {

// Where a cage has files and a network of its own, the same in each.
constexpr const char* home_inside = "/tmp";
constexpr std::uint16_t first_door_port = 8723;

Error door_error() {
  return Error(ErrorCode::unavailable, "can't open a door for a cage", std::strerror(errno));
}

Door open_door_on_machine(std::uint16_t* port) {
  Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (!listener || ::bind(listener.get(), generic, length) != 0 ||
      ::listen(listener.get(), SOMAXCONN) != 0 ||
      ::getsockname(listener.get(), generic, &length) != 0) {
    throw door_error();
  }
  *port = ntohs(address.sin_port);
  return {std::move(listener), "http://127.0.0.1:" + std::to_string(*port)};
}

ExitStatus from_wait_status(int status) {
  return WIFEXITED(status) ? ExitStatus{.code = WEXITSTATUS(status)}
                           : ExitStatus{.signal = WTERMSIG(status)};
}

bool is_full(const Fd& folder) {
  struct statvfs status{};
  return folder && ::fstatvfs(folder.get(), &status) == 0 &&
         (status.f_bavail == 0 || status.f_favail == 0);
}

}  // namespace

struct Child::Process {
  Process(const Executor& executor, IsolationLevel its_level, Launched launched)
      : level(its_level),
        pid(launched.pid),
        pidfd(executor, launched.pidfd.release()),
        status_socket(std::move(launched.status_socket)),
        service(std::move(launched.service)),
        home(std::move(launched.home)),
        ended(executor),
        gone(executor) {}

  // Until the leader is reaped its number, and so the group's, can't belong to anybody else.
  void kill() const {
    if (!status) {
      // Pid 1 takes its namespace along; elsewhere the process group is what there is at once.
      ::kill(level == IsolationLevel::strict ? pid : -pid, SIGKILL);
    }
  }

  LimitsMet limits_met() const {
    LimitsMet met{.home = is_full(home)};
    if (control_group) {
      met.memory = control_group->memory_kills() > 0;
      met.processes = control_group->processes_refused() > 0;
    }
    return met;
  }

  const IsolationLevel level;
  const pid_t pid;
  asio::posix::stream_descriptor pidfd;
  const Fd status_socket;
  Fd service;
  const Fd home;
  std::optional<std::uint32_t> user;
  std::filesystem::path folder;  // on the machine's disk; empty if its home is in memory
  std::unique_ptr<ControlGroup> control_group;
  std::vector<Door> doors;
  Event ended;
  Event gone;
  std::optional<ExitStatus> status;
  std::optional<LimitsMet> met_at_end;
};

std::string_view to_text(CageKind kind) { return kind == CageKind::task ? "task" : "browser"; }

std::string ExitStatus::text() const {
  if (signal != 0) {
    return "signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
  }
  return "exit code " + std::to_string(code);
}

Child::Child(std::shared_ptr<Process> process) : process_(std::move(process)) {}
Child::~Child() { kill(); }

pid_t Child::pid() const { return process_->pid; }
void Child::kill() { process_->kill(); }
std::optional<ExitStatus> Child::exit_status() const { return process_->status; }
Door Child::take_door(std::size_t index) { return std::move(process_->doors.at(index)); }

Fd Child::take_service() { return std::move(process_->service); }

LimitsMet Child::limits_met() const {
  return process_->met_at_end ? *process_->met_at_end : process_->limits_met();
}

Async<ExitStatus> Child::wait() {
  auto process = process_;
  co_await process->ended.wait();
  CHECK(process->status.has_value());
  co_return *process->status;
}

Async<> Child::gone() {
  auto process = process_;
  co_await process->gone.wait();
}

Cage::Cage(Executor executor, WorkFolder& work_folder)
    : executor_(std::move(executor)),
      work_folder_(work_folder),
      launcher_(make_launcher_file()),
      reapers_(executor_, "cage") {
  for (CageKind kind : {CageKind::task, CageKind::browser}) {
    isolation_[kind].reasons.emplace_back("not tried yet");
  }
}

Async<> Cage::find_levels(IsolationLevel level_max) {
  for (CageKind kind : {CageKind::task, CageKind::browser}) {
    Isolation found = co_await find_level(kind, level_max);
    log_info("isolation_found", {{"kind", to_text(kind)}, {"isolation", to_text(found.level)}});
    for (const std::string& reason : found.reasons) {
      log_warning("isolation_limited", {{"kind", to_text(kind)}, {"reason", reason}});
    }
    isolation_[kind] = std::move(found);
  }
}

Async<Isolation> Cage::find_level(CageKind kind, IsolationLevel level_max) {
  Isolation found;
  if (level_max < IsolationLevel::strict) {
    found.reasons.push_back("isolation.maximum is " + std::string(to_text(level_max)));
  }
  for (IsolationLevel level : {IsolationLevel::strict, IsolationLevel::standard}) {
    if (level > level_max) {
      continue;
    }
    auto escapes = co_await outcome_of(try_to_escape(executor_, this, kind, level));
    std::string name(to_text(level));
    if (!escapes.ok()) {
      const Error& error = escapes.error();
      found.reasons.push_back(name + ": " +
                              (error.cause().empty() ? error.message() : error.cause()));
      continue;
    }
    std::vector<std::string> escaped = std::move(escapes).take();
    if (escaped.empty()) {
      found.level = level;
      break;
    }
    for (const std::string& escape : escaped) {
      found.reasons.push_back(name + ": " + escape);
    }
  }
  co_return found;
}

std::string_view Cage::memory_bound(CageKind kind) const {
  if (control_groups_.bounds_memory()) {
    return "cgroup";
  }
  return kind == CageKind::task ? "rlimit" : "none";
}

std::string_view Cage::processes_bound(IsolationLevel level) const {
  if (control_groups_.bounds_processes()) {
    return "cgroup";
  }
  // The kernel counts by user, so without one of its own a program would meet the bound because of
  // others.
  bool counts_alone = level == IsolationLevel::strict || user_ids_.can_give();
  return level > IsolationLevel::none && counts_alone ? "rlimit" : "none";
}

Fd Cage::filter_for(CageKind kind, IsolationLevel level) {
  Fd& filter = filters_[{kind, level}];
  if (!filter) {
    filter = make_syscall_filter(kind, level, user_ids_.can_give());
  }
  Fd copy(::fcntl(filter.get(), F_DUPFD_CLOEXEC, 3));
  if (!copy) {
    throw Error(ErrorCode::unavailable, "no descriptors left", std::strerror(errno));
  }
  return copy;
}

Async<std::unique_ptr<Child>> Cage::start(ChildOrder order) {
  IsolationLevel level = isolation(order.kind).level;
  co_return co_await start_at(level, std::move(order));
}

// A cage before its program runs in it. What it has taken is given back unless it is used.
struct Cage::Site {
  Site(Cage* its_cage, IsolationLevel level) : cage(its_cage) { plan.level = level; }
  ~Site() {
    if (plan.user) {
      cage->user_ids_.give_back(*plan.user);
    }
  }
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  Cage* const cage;
  Plan plan;
  std::vector<Door> doors;
  std::filesystem::path folder;
};

Async<std::optional<std::uint32_t>> Cage::take_user() {
  if (!user_ids_.can_give()) {
    co_return std::nullopt;
  }
  std::uint32_t lowest = 0;
  while (!user_ids_.has_free()) {
    UserIdBlock block = user_ids_.lease_block(lowest);
    auto left_over =
        co_await starter_.run([first = block.first] { return users_with_processes(first); });
    if (!left_over.empty() && !block.was_used) {
      log_warning("user_ids_are_in_use", {{"user", left_over.front()}});
      lowest = block.first + user_id_block_size;
      continue;
    }
    for (std::uint32_t user : left_over) {
      if (!co_await end_all_of(user)) {
        throw Error(ErrorCode::unavailable, "can't end what a server that died has left",
                    "user " + std::to_string(user));
      }
      log_warning("left_processes_ended", {{"user", user}});
    }
    user_ids_.add(std::move(block));
  }
  co_return user_ids_.take();
}

void Cage::prepare(Site& site, const ChildOrder& order) {
  Plan& plan = site.plan;
  plan.bounds_memory = memory_bound(order.kind) == "rlimit";
  plan.bounds_processes = processes_bound(plan.level) == "rlimit";
  for (std::size_t i = 0; i < order.door_count; ++i) {
    auto port = static_cast<std::uint16_t>(first_door_port + i);
    site.doors.push_back(plan.level == IsolationLevel::strict
                             ? Door{{}, "http://127.0.0.1:" + std::to_string(port)}
                             : open_door_on_machine(&port));
    plan.door_ports.push_back(port);
    plan.interior.doors.push_back(site.doors.back().url);
  }
  if (plan.level == IsolationLevel::strict) {
    plan.interior.home = home_inside;
  } else {
    site.folder =
        plan.user ? work_folder_.make_for_user("c-", *plan.user) : work_folder_.make("c-");
    plan.interior.home = site.folder;
  }
}

Async<std::unique_ptr<Child>> Cage::start_at(IsolationLevel level, ChildOrder order) {
  if (closing_) {
    throw Error(ErrorCode::unavailable, "the server is shutting down");
  }
  if (level > IsolationLevel::none) {
    order.descriptors.push_back({launcher_filter_number, filter_for(order.kind, level)});
  }
  Site site(this, level);
  site.plan.user = co_await take_user();
  auto begun = co_await outcome_of(begin_at(&site, std::move(order)));
  if (!begun.ok()) {
    if (!site.folder.empty()) {
      co_await work_folder_.remove(site.folder);
    }
    throw Error(begun.error());
  }
  Begun child = std::move(begun).take();
  auto process = std::make_shared<Child::Process>(executor_, level, std::move(child.launched));
  process->control_group = std::move(child.control_group);
  process->user = std::exchange(site.plan.user, std::nullopt);
  process->folder = std::move(site.folder);
  process->doors = std::move(site.doors);
  for (std::size_t i = 0; i < child.doors.size(); ++i) {
    process->doors[i].listener = std::move(child.doors[i]);
  }
  children_.insert(process);
  reapers_.spawn(reap(process));
  if (closing_) {
    process->kill();
  }
  co_return std::make_unique<Child>(process);
}

// Builds the cage and starts the program in it.
Async<Cage::Begun> Cage::begin_at(Site* site, ChildOrder order) {
  CHECK(!order.service || site->plan.level == IsolationLevel::strict);
  prepare(*site, order);
  Command command = order.command(site->plan.interior);
  const IsolationLevel level = site->plan.level;
  auto launch_order = std::make_shared<LaunchOrder>(LaunchOrder{
      .launcher = launcher_.get(),
      .words = launcher_words(site->plan, order, command),
      .environment = std::move(command.environment),
      .descriptors = std::move(order.descriptors),
      .in_pid_namespace = level == IsolationLevel::strict,
      .in_user_namespace = level == IsolationLevel::strict && !site->plan.user,
      .door_count = level == IsolationLevel::strict ? order.door_count : 0,
      .has_service = order.service.has_value(),
  });
  auto begun = co_await outcome_of(begin(launch_order, order.limits));
  if (!begun.ok()) {
    throw Error(ErrorCode::unavailable,
                "can't start " + command.program.string() + ": " + begun.error().message(),
                begun.error().cause());
  }
  co_return std::move(begun).take();
}

Async<Cage::Begun> Cage::begin(std::shared_ptr<LaunchOrder> order, CageLimits limits) {
  // A shared pointer, because what runs on another thread can't be cancelled.
  auto begun = co_await starter_.run([this, order, limits] {
    auto begun = std::make_shared<Begun>();
    begun->control_group = control_groups_.make(limits);
    try {
      if (begun->control_group) {
        order->control_groups = begun->control_group->entrances();
      }
      begun->launched = launch(std::move(*order));
    } catch (...) {
      if (begun->control_group) {
        begun->control_group->remove();
      }
      throw;
    }
    begun->doors = std::move(begun->launched.doors);
    return begun;
  });
  co_return std::move(*begun);
}

Async<bool> Cage::end_all_of(std::uint32_t user) {
  auto ended = co_await outcome_of(
      starter_.run([launcher = launcher_.get(), user] { end_all_of_user(launcher, user); }));
  if (!ended.ok()) {
    log_warning("user_not_ended", {{"user", user}, {"cause", ended.error().cause()}});
  }
  co_return ended.ok();
}

Async<> Cage::reap(std::shared_ptr<Child::Process> process) {
  // Not ended by cancellation: a child must be waited for even while the server closes.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  // Asio may wake a wait for nothing: a readiness that was still queued for a descriptor that has
  // been closed goes to the next one that gets its place. So the process itself is asked.
  siginfo_t seen{};
  while (seen.si_pid == 0) {
    co_await process->pidfd.async_wait(asio::posix::stream_descriptor::wait_read,
                                       asio::use_awaitable);
    ::waitid(P_PID, static_cast<id_t>(process->pid), &seen, WEXITED | WNOHANG | WNOWAIT);
  }
  process->kill();
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(process->pid), &info, WEXITED);
  std::optional<int> told = told_end(process->status_socket);
  ExitStatus seen_end = info.si_code == CLD_EXITED ? ExitStatus{.code = info.si_status}
                                                   : ExitStatus{.signal = info.si_status};
  process->met_at_end = process->limits_met();
  process->status = told ? from_wait_status(*told) : seen_end;
  process->ended.set();
  co_await clean_up(process);
  children_.erase(process);
  process->gone.set();
}

// Nothing of a cage is left behind this. At the level strict the kernel has done it.
Async<> Cage::clean_up(std::shared_ptr<Child::Process> process) {
  if (process->level < IsolationLevel::strict && process->control_group) {
    co_await cleaner_.run([process] { process->control_group->kill(); });
  }
  bool user_is_free = process->user.has_value();
  if (process->level < IsolationLevel::strict && process->user) {
    user_is_free = co_await end_all_of(*process->user);
  }
  if (process->control_group) {
    co_await cleaner_.run([process] { process->control_group->remove(); });
  }
  if (user_is_free) {
    user_ids_.give_back(*process->user);
  }
  if (!process->folder.empty()) {
    co_await work_folder_.remove(process->folder);
  }
}

Async<> Cage::close() {
  closing_ = true;
  for (const auto& process : children_) {
    process->kill();
  }
  co_await reapers_.drain();
}

}  // namespace capstan
