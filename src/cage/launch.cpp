#include "cage/launch.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

namespace capstan {
namespace {

constexpr std::size_t stack_bytes = std::size_t{256} << 10;
// Sources are first moved up here, out of the way of the numbers that the child shall see.
constexpr int parking_place = 200;

// Everything that the child needs, prepared before it exists: between clone and exec it shares our
// memory, so it may not allocate, lock or call anything that isn't async-signal-safe.
struct Preparation {
  const char* program;
  char* const* arguments;
  char* const* environment;
  const char* working_folder;
  const Inherited* descriptors;
  std::size_t descriptor_count;
  const ProcessLimits* limits;
  const UserId* run_as;
  pid_t parent;
  // Written by the child, read by us once it has called exec or ended.
  const char* failed_step = nullptr;
  int failure = 0;
};

int fail(Preparation& preparation, const char* step) {
  preparation.failure = errno;
  preparation.failed_step = step;
  return 127;
}

bool limit(int resource, std::uint64_t value) {
  rlimit bound{value, value};
  return ::syscall(SYS_prlimit64, 0, resource, &bound, nullptr) == 0;
}

bool place_descriptors(const Preparation& preparation) {
  if (::syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */) != 0) {
    return false;
  }
  std::array<int, 8> parked{};
  for (std::size_t i = 0; i < preparation.descriptor_count; ++i) {
    parked[i] = ::fcntl(preparation.descriptors[i].fd.get(), F_DUPFD_CLOEXEC, parking_place);
    if (parked[i] < 0) {
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

// Raw system calls: glibc's wrappers would ask all our threads to change their user too.
bool change_user(const UserId& user) {
  return ::syscall(SYS_setgroups, 0, nullptr) == 0 &&
         ::syscall(SYS_setresgid, user.group, user.group, user.group) == 0 &&
         ::syscall(SYS_setresuid, user.user, user.user, user.user) == 0;
}

void restore_signals() {
  for (int number = 1; number < NSIG; ++number) {
    ::signal(number, SIG_DFL);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

int child_main(void* argument) {
  Preparation& preparation = *static_cast<Preparation*>(argument);
  if (::setsid() < 0) {
    return fail(preparation, "setsid");
  }
  if (!place_descriptors(preparation)) {
    return fail(preparation, "descriptors");
  }
  if (::chdir(preparation.working_folder) != 0) {
    return fail(preparation, "chdir");
  }
  const ProcessLimits& limits = *preparation.limits;
  if (!limit(RLIMIT_CORE, 0) || !limit(RLIMIT_NOFILE, limits.open_files_max) ||
      !limit(RLIMIT_FSIZE, limits.file_bytes_max) ||
      !limit(RLIMIT_MEMLOCK, limits.locked_bytes_max) || !limit(RLIMIT_MSGQUEUE, 0)) {
    return fail(preparation, "limits");
  }
  if (preparation.run_as != nullptr && !change_user(*preparation.run_as)) {
    return fail(preparation, "user");
  }
  // Changing the user clears the parent-death signal, so it comes after that; and a parent that
  // had died before is noticed by looking.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != preparation.parent) {
    return fail(preparation, "parent");
  }
  restore_signals();
  ::execve(preparation.program, preparation.arguments, preparation.environment);
  return fail(preparation, "exec");
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

}  // namespace

Launched launch(ChildOrder order) {
  std::vector<std::string> arguments{order.program.string()};
  arguments.insert(arguments.end(), order.arguments.begin(), order.arguments.end());
  std::vector<std::string> environment;
  for (const auto& [name, value] : order.environment) {
    environment.push_back(name + "=" + value);
  }
  std::vector<char*> argument_list = pointers(arguments);
  std::vector<char*> environment_list = pointers(environment);
  Preparation preparation{
      .program = order.program.c_str(),
      .arguments = argument_list.data(),
      .environment = environment_list.data(),
      .working_folder = order.working_folder.c_str(),
      .descriptors = order.descriptors.data(),
      .descriptor_count = order.descriptors.size(),
      .limits = &order.limits,
      .run_as = order.run_as ? &*order.run_as : nullptr,
      .parent = ::getpid(),
  };

  ChildStack stack;
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // no handler of ours may run in the child
  int pidfd = -1;
  pid_t pid = ::clone(child_main, stack.top(), CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD,
                      &preparation, &pidfd);
  int clone_failure = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) {
    throw Error(ErrorCode::unavailable, "can't start another process",
                std::strerror(clone_failure));
  }
  Launched launched{pid, Fd(pidfd)};
  if (preparation.failed_step != nullptr) {
    siginfo_t ended{};
    ::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED);
    std::string reason = std::strerror(preparation.failure);
    throw Error(ErrorCode::unavailable, "can't start " + order.program.string() + ": " + reason,
                std::string(preparation.failed_step) + ": " + reason);
  }
  return launched;
}

}  // namespace capstan
