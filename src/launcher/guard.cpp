#include "launcher/guard.h"

#include <cerrno>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/report.h"

namespace capstan {
namespace {

int open_process(pid_t process) { return static_cast<int>(::syscall(SYS_pidfd_open, process, 0U)); }

// A child that tells its parent nothing when it ends, which is what hides it from wait().
pid_t fork_quietly() { return static_cast<pid_t>(::syscall(SYS_clone, 0UL, 0UL, 0UL, 0UL, 0UL)); }

void wait_for_either(int one, int other) {
  pollfd ends[] = {{one, POLLIN, 0}, {other, POLLIN, 0}};
  while (::poll(ends, 2, -1) < 0 && errno == EINTR) {
  }
}

[[noreturn]] void stand_guard(int server, int program, pid_t group) {
  ::setsid();
  ::dup2(server, 0);
  ::dup2(program, 1);
  ::syscall(SYS_close_range, 2U, ~0U, 0U);
  wait_for_either(0, 1);
  // One blow is enough: a fork that is under way is given up when the whole group is struck.
  ::kill(-group, SIGKILL);
  ::_exit(0);
}

}  // namespace

void leave_guard(const Instructions& instructions) {
  int server = open_process(::getppid());
  end_without_server();  // then our parent was somebody else
  int program = open_process(::getpid());
  pid_t group = ::getpgrp();
  pid_t guard = server < 0 || program < 0 ? -1 : fork_quietly();
  if (guard < 0) {
    fail("leave a guard");
  }
  if (guard == 0) {
    forget_command_line(instructions);
    stand_guard(server, program, group);
  }
  ::close(server);
  ::close(program);
}

}  // namespace capstan
