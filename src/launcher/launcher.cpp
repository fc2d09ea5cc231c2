// The program that every child of the server begins as. It builds the cage around itself, as its
// instructions say, and then becomes the program that was ordered, or starts it and stays as the
// cage's pid 1. It is a program of its own, small and linked statically, so that nothing of the
// server's memory is ever inside a cage, and so that what it does may allocate and fork, which a
// process that still shares the server's memory may not.
//
// The order of the steps matters: what needs a privilege comes before it is given up.

#include <arpa/inet.h>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/file_tree.h"
#include "launcher/guard.h"
#include "launcher/instructions.h"
#include "launcher/landlock.h"
#include "launcher/privileges.h"
#include "launcher/report.h"
#include "launcher/service.h"

namespace capstan {
namespace {

constexpr int bad_command_line = 2;

void bring_up_loopback() {
  int any_socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (any_socket < 0 || ::ioctl(any_socket, SIOCSIFFLAGS, &request) != 0) {
    fail("bring up loopback");
  }
  ::close(any_socket);
}

void open_door(std::uint16_t port) {
  int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (listener < 0 ||
      ::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener, SOMAXCONN) != 0) {
    fail("open a door");
  }
  hand_over(LauncherReport::Kind::door, listener);
  ::close(listener);
}

// There is no other way to this folder from outside.
void hand_over_home(const char* path) {
  int folder = ::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) {
    fail("find the home folder");
  }
  hand_over(LauncherReport::Kind::home, folder);
  ::close(folder);
}

// Returns the listening socket of the service, if there is to be one.
int enter_namespaces(const Instructions& instructions) {
  if (::unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP) != 0) {
    fail("make namespaces");
  }
  ::sethostname("cage", 4);
  enter_file_tree(instructions, instructions.user.value_or(::getuid()));
  hand_over_home(instructions.work_in);
  bring_up_loopback();
  for (std::uint16_t port : instructions.doors) {
    open_door(port);
  }
  return open_service(instructions);
}

void give_up_privileges(const Instructions& instructions) {
  if (!instructions.namespaces) {
    leave_guard(instructions);  // as who we are still, so that the program can't end it
  }
  const int landlock_rules = instructions.landlock ? make_landlock_rules(instructions) : -1;
  if (instructions.user) {
    become_user(*instructions.user);
  }
  if (instructions.namespaces && instructions.user) {
    enter_user_namespace();  // without root we came in one already
  }
  die_with_parent();
  give_up_capabilities();
  if (instructions.landlock) {
    confine_with_landlock(landlock_rules);
  }
  if (instructions.filter >= 0) {
    install_filter(instructions.filter);
  }
}

[[noreturn]] void become_program(const Instructions& instructions) {
  if (::chdir(instructions.work_in) != 0) {
    fail("chdir");
  }
  ::execv(instructions.program[0], instructions.program);
  fail("exec");
}

// Pid 1 of a cage: it reaps whatever is left to it, and ends, and with it everything in the cage,
// once the program has ended.
[[noreturn]] void stay_as_reaper(pid_t program) {
  while (true) {
    int status = 0;
    pid_t ended = ::waitpid(-1, &status, 0);
    if (ended == program) {
      report(LauncherReport::Kind::ended, status);
      ::_exit(0);
    }
  }
}

// Closes all but the status socket, whose number is moved out of the way.
void keep_only(int socket) {
  ::dup2(socket, 0);
  ::syscall(SYS_close_range, 1U, ~0U, 0U);
  report_to(0);
}

[[noreturn]] void start_program(const Instructions& instructions) {
  int program_started[2];
  if (::pipe2(program_started, O_CLOEXEC) != 0) {
    fail("make a pipe");
  }
  pid_t program = ::fork();
  if (program < 0) {
    fail("fork");
  }
  if (program == 0) {
    ::setsid();
    become_program(instructions);
  }
  // Until it runs, which closes its end, or has told why it doesn't.
  ::close(program_started[1]);
  char nothing = 0;
  [[maybe_unused]] ssize_t end_of_file = ::read(program_started[0], &nothing, 1);
  keep_only(instructions.status_socket);
  forget_command_line(instructions);
  report(LauncherReport::Kind::started, 0);
  stay_as_reaper(program);
}

void close_on_exec(int descriptor) {
  if (descriptor >= 0) {
    ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  }
}

}  // namespace
}  // namespace capstan

int main(int count, char** words) {
  using namespace capstan;
  std::optional<Instructions> instructions = read_instructions(count, words);
  if (!instructions) {
    return bad_command_line;
  }
  report_to(instructions->status_socket);
  close_on_exec(instructions->status_socket);
  close_on_exec(instructions->filter);
  wait_for_go();
  if (instructions->end_user) {
    end_all_of_user(*instructions->user);
    return 0;
  }
  ::umask(0022);
  set_limits(*instructions);
  int service_socket = -1;
  if (instructions->namespaces) {
    service_socket = enter_namespaces(*instructions);
  }
  give_up_privileges(*instructions);
  if (instructions->namespaces) {
    start_service(*instructions, service_socket);
    start_program(*instructions);
  }
  become_program(*instructions);
}
