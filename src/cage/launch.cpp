#include "cage/launch.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/error.h"

namespace capstan {
namespace {

constexpr std::size_t stack_bytes = std::size_t{256} << 10;
// Sources are first moved up here, out of the way of the numbers that the child shall see.
constexpr int parking_place = 300;
constexpr std::size_t descriptors_max = 16;
// Building a cage takes some milliseconds, many times that on a machine that is busy.
constexpr timeval launch_patience{20, 0};
constexpr int capability_count = 41;  // Linux 5.9 and later; those it doesn't know it refuses

// Everything that the child needs, prepared before it exists: between clone and exec it shares our
// memory, so it may not allocate, lock or call anything that isn't async-signal-safe.
struct Preparation {
  int launcher;
  char* const* words;
  char* const* environment;
  const Inherited* descriptors;
  std::size_t descriptor_count;
  const Fd* control_groups;
  std::size_t control_group_count;
  const char* user_map = nullptr;  // set for a child in a user namespace
  const char* group_map = nullptr;
  // Written by the child, read by us once it has called exec or ended.
  const char* failed_step = nullptr;
  int failure = 0;
};

int fail(Preparation& preparation, const char* step) {
  preparation.failure = errno;
  preparation.failed_step = step;
  return 127;
}

bool place_descriptors(const Preparation& preparation, int* launcher) {
  if (::syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */) != 0) {
    return false;
  }
  *launcher = ::fcntl(preparation.launcher, F_DUPFD_CLOEXEC, parking_place);
  std::array<int, descriptors_max> parked{};
  for (std::size_t i = 0; i < preparation.descriptor_count; ++i) {
    parked[i] = ::fcntl(preparation.descriptors[i].fd.get(), F_DUPFD_CLOEXEC, parking_place);
    if (parked[i] < 0 || *launcher < 0) {
      return false;
    }
  }
  int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int standard = 0; standard <= 2; ++standard) {
    if (nothing < 0 || ::dup2(nothing, standard) < 0) {
      return false;
    }
  }
  for (std::size_t i = 0; i < preparation.descriptor_count; ++i) {
    if (::dup2(parked[i], preparation.descriptors[i].number) < 0) {
      return false;
    }
  }
  return true;
}

bool write_text(const char* path, const char* text) {
  int file = ::open(path, O_WRONLY | O_CLOEXEC);
  bool written = file >= 0 && ::write(file, text, std::strlen(text)) > 0;
  ::close(file);
  return written;
}

// Says who we are in our new user namespace, and keeps its capabilities beyond exec: they are the
// launcher's, who gives them up.
bool settle_in_user_namespace(const Preparation& preparation) {
  if (!write_text("/proc/self/setgroups", "deny") ||
      !write_text("/proc/self/gid_map", preparation.group_map) ||
      !write_text("/proc/self/uid_map", preparation.user_map)) {
    return false;
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> capabilities{};
  if (::syscall(SYS_capget, &header, capabilities.data()) != 0) {
    return false;
  }
  for (__user_cap_data_struct& part : capabilities) {
    part.inheritable = part.permitted;
  }
  if (::syscall(SYS_capset, &header, capabilities.data()) != 0) {
    return false;
  }
  for (int capability = 0; capability < capability_count; ++capability) {
    ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
  }
  return true;
}

void restore_signals() {
  for (int number = 1; number < NSIG; ++number) {
    ::signal(number, SIG_DFL);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// A process that moves itself waits for nobody. To move another one the kernel waits until every
// processor has passed a quiet moment, which took 10 to 13 ms (bench/cages.ts).
bool enter_control_groups(const Preparation& preparation) {
  for (std::size_t i = 0; i < preparation.control_group_count; ++i) {
    if (::write(preparation.control_groups[i].get(), "0", 1) != 1) {
      return false;
    }
  }
  return true;
}

int child_main(void* argument) {
  Preparation& preparation = *static_cast<Preparation*>(argument);
  if (::setsid() < 0) {
    return fail(preparation, "setsid");
  }
  if (!enter_control_groups(preparation)) {
    return fail(preparation, "enter its control groups");
  }
  if (preparation.user_map != nullptr && !settle_in_user_namespace(preparation)) {
    return fail(preparation, "settle in a user namespace");
  }
  int launcher = -1;
  if (!place_descriptors(preparation, &launcher)) {
    return fail(preparation, "place descriptors");
  }
  // Should we have died already, the launcher notices by its status socket.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
    return fail(preparation, "die with the server");
  }
  restore_signals();
  ::syscall(SYS_execveat, launcher, "", preparation.words, preparation.environment, AT_EMPTY_PATH);
  return fail(preparation, "start the launcher");
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  list.reserve(texts.size() + 1);
  for (std::string& text : texts) {
    list.push_back(text.data());
  }
  list.push_back(nullptr);
  return list;
}

// A stack for the child, since it runs in our memory while our thread waits for its exec.
class ChildStack {
 public:
  ChildStack()
      : memory_(::mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0)) {
    if (memory_ == MAP_FAILED) {
      throw Error(ErrorCode::unavailable, "no memory to start a process");
    }
  }
  ~ChildStack() { ::munmap(memory_, stack_bytes); }
  void* top() const { return static_cast<char*>(memory_) + stack_bytes; }

 private:
  void* memory_;
};

Error launch_error(const char* step, int failure) {
  return Error(ErrorCode::unavailable, std::strerror(failure),
               std::string(step) + ": " + std::strerror(failure));
}

// Ends and reaps a child that came to nothing.
siginfo_t discard(pid_t pid) {
  ::kill(pid, SIGKILL);
  siginfo_t ended{};
  ::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED);
  return ended;
}

pid_t clone_launcher(Preparation& preparation, const LaunchOrder& order, int* pidfd) {
  int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
  flags |= order.in_pid_namespace ? CLONE_NEWPID : 0;
  flags |= order.in_user_namespace ? CLONE_NEWUSER : 0;
  ChildStack stack;
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // no handler of ours may run in the child
  pid_t pid = ::clone(child_main, stack.top(), flags, &preparation, pidfd);
  int failure = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) {
    throw launch_error(order.in_pid_namespace ? "make a pid namespace" : "start a process",
                       failure);
  }
  if (preparation.failed_step != nullptr) {
    ::close(*pidfd);
    discard(pid);
    throw launch_error(preparation.failed_step, preparation.failure);
  }
  return pid;
}

struct Received {
  ssize_t bytes = 0;
  LauncherReport report{};
  Fd descriptor;
};

Received receive_report(int socket, int flags) {
  Received received;
  iovec piece{&received.report, sizeof received.report};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  do {
    received.bytes = ::recvmsg(socket, &header, flags | MSG_CMSG_CLOEXEC);
  } while (received.bytes < 0 && errno == EINTR);
  if (cmsghdr* rights = CMSG_FIRSTHDR(&header);
      rights != nullptr && rights->cmsg_type == SCM_RIGHTS) {
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(rights), sizeof descriptor);
    received.descriptor = Fd(descriptor);
  }
  return received;
}

// Reads reports until the program has been started.
void await_start(Launched& launched, const LaunchOrder& order) {
  while (true) {
    Received received = receive_report(launched.status_socket.get(), 0);
    if (received.bytes < 0) {
      throw launch_error("hear from the launcher", errno == EAGAIN ? ETIMEDOUT : errno);
    }
    bool replaced = received.bytes == 0;
    if (replaced && order.in_pid_namespace) {
      throw launch_error("stay as pid 1", EPROTO);
    }
    if (replaced || received.report.kind == LauncherReport::Kind::started) {
      if (launched.doors.size() != order.door_count ||
          static_cast<bool>(launched.service) != order.has_service) {
        throw launch_error("get the doors", EPROTO);
      }
      return;
    }
    if (received.report.kind == LauncherReport::Kind::door && received.descriptor) {
      launched.doors.push_back(std::move(received.descriptor));
      continue;
    }
    if (received.report.kind == LauncherReport::Kind::service && received.descriptor) {
      launched.service = std::move(received.descriptor);
      continue;
    }
    if (received.report.kind == LauncherReport::Kind::home && received.descriptor) {
      launched.home = std::move(received.descriptor);
      continue;
    }
    received.report.step[sizeof received.report.step - 1] = '\0';
    throw launch_error(received.report.step, received.report.value);
  }
}

std::string map_to(unsigned outside) { return "1000 " + std::to_string(outside) + " 1\n"; }

}  // namespace

Launched launch(LaunchOrder order) {
  std::array<int, 2> sockets{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
    throw launch_error("make a status socket", errno);
  }
  Launched launched{.pid = -1,
                    .pidfd = {},
                    .status_socket = Fd(sockets[0]),
                    .doors = {},
                    .service = {},
                    .home = {}};
  order.descriptors.push_back({launcher_status_number, Fd(sockets[1])});
  CHECK(order.descriptors.size() <= descriptors_max);
  ::setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &launch_patience, sizeof launch_patience);

  std::vector<std::string> environment;
  for (const auto& [name, value] : order.environment) {
    environment.push_back(name + "=" + value);
  }
  std::vector<char*> word_list = pointers(order.words);
  std::vector<char*> environment_list = pointers(environment);
  std::string user_map = map_to(::geteuid());
  std::string group_map = map_to(::getegid());
  Preparation preparation{
      .launcher = order.launcher,
      .words = word_list.data(),
      .environment = environment_list.data(),
      .descriptors = order.descriptors.data(),
      .descriptor_count = order.descriptors.size(),
      .control_groups = order.control_groups.data(),
      .control_group_count = order.control_groups.size(),
      .user_map = order.in_user_namespace ? user_map.c_str() : nullptr,
      .group_map = group_map.c_str(),
  };
  int pidfd = -1;
  launched.pid = clone_launcher(preparation, order, &pidfd);
  launched.pidfd = Fd(pidfd);
  order.descriptors.clear();  // so that the launcher's end of the socket is the only one
  try {
    if (::send(launched.status_socket.get(), &launcher_go, 1, MSG_NOSIGNAL) != 1) {
      throw launch_error("begin", errno);
    }
    await_start(launched, order);
  } catch (...) {
    discard(launched.pid);
    throw;
  }
  return launched;
}

void end_all_of_user(int launcher, std::uint32_t user) {
  LaunchOrder order{
      .launcher = launcher,
      .words = {"capstan-launcher", "--status", std::to_string(launcher_status_number), "--user",
                std::to_string(user), "--end-user"},
      .environment = {},
      .descriptors = {}};
  Launched launched = launch(std::move(order));
  // It has closed its socket, so it has ended by now, by itself or by those whom it was to end.
  siginfo_t end = discard(launched.pid);
  if (end.si_code != CLD_EXITED || end.si_status != 0) {
    throw launch_error("end all processes of a user", EAGAIN);
  }
}

std::optional<int> told_end(const Fd& status_socket) {
  Received received = receive_report(status_socket.get(), MSG_DONTWAIT);
  bool is_end = received.bytes == sizeof(LauncherReport) &&
                received.report.kind == LauncherReport::Kind::ended;
  return is_end ? std::optional(received.report.value) : std::nullopt;
}

}  // namespace capstan
