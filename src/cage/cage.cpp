#include "cage/cage.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/check.h"
#include "cage/launch.h"

namespace capstan {

struct Child::Process {
  Process(const Executor& executor, Launched launched)
      : pid(launched.pid), pidfd(executor, launched.pidfd.release()), ended(executor) {}

  // Until the leader is reaped its number, and so the group's, can't belong to anybody else.
  void kill_group() const {
    if (!status) {
      ::kill(-pid, SIGKILL);
    }
  }

  const pid_t pid;
  asio::posix::stream_descriptor pidfd;
  Event ended;
  std::optional<ExitStatus> status;
  Door door;
};

namespace {

Door open_door() {
  Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (!listener || ::bind(listener.get(), generic, length) != 0 ||
      ::listen(listener.get(), SOMAXCONN) != 0 ||
      ::getsockname(listener.get(), generic, &length) != 0) {
    throw Error(ErrorCode::unavailable, "can't open a door for a task", std::strerror(errno));
  }
  return {std::move(listener), "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port))};
}

}  // namespace

std::string ExitStatus::text() const {
  if (signal != 0) {
    return "signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
  }
  return "exit code " + std::to_string(code);
}

Child::Child(std::shared_ptr<Process> process) : process_(std::move(process)) {}
Child::~Child() { kill(); }

pid_t Child::pid() const { return process_->pid; }
void Child::kill() { process_->kill_group(); }
std::optional<ExitStatus> Child::exit_status() const { return process_->status; }
Door Child::take_door() { return std::move(process_->door); }

Async<ExitStatus> Child::wait() {
  auto process = process_;
  co_await process->ended.wait();
  CHECK(process->status.has_value());
  co_return *process->status;
}

Cage::Cage(Executor executor) : executor_(std::move(executor)), reapers_(executor_, "cage") {
  isolation_.reasons.push_back("namespaces, seccomp and Landlock are not built yet");
}

Async<std::unique_ptr<Child>> Cage::start(ChildOrder order) {
  if (closing_) {
    throw Error(ErrorCode::unavailable, "the server is shutting down");
  }
  Door door = order.with_door ? open_door() : Door{};
  Launched launched =
      co_await starter_.run([order = std::make_shared<ChildOrder>(std::move(order))] {
        return launch(std::move(*order));
      });
  auto process = std::make_shared<Child::Process>(executor_, std::move(launched));
  process->door = std::move(door);
  children_.insert(process);
  reapers_.spawn(reap(process));
  if (closing_) {
    process->kill_group();
  }
  co_return std::make_unique<Child>(process);
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
  process->kill_group();
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(process->pid), &info, WEXITED);
  process->status = info.si_code == CLD_EXITED ? ExitStatus{.code = info.si_status}
                                               : ExitStatus{.signal = info.si_status};
  process->ended.set();
  children_.erase(process);
}

Async<> Cage::close() {
  closing_ = true;
  for (const auto& process : children_) {
    process->kill_group();
  }
  co_await reapers_.drain();
}

}  // namespace capstan
