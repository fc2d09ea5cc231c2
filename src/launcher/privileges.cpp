#include "launcher/privileges.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

#include "launcher/report.h"

namespace capstan {
namespace {

constexpr int capability_count_max = 64;

void limit(int resource, std::uint64_t value, const char* name) {
  rlimit bound{value, value};
  if (::setrlimit(static_cast<__rlimit_resource>(resource), &bound) != 0) {
    fail(name);
  }
}

// A process that changed its user counts as one with secrets, and its files in /proc belong to
// root.
void own_our_proc_files(bool own) { ::prctl(PR_SET_DUMPABLE, own ? 1 : 0); }

void write_map(const char* path, const std::string& text) {
  int file = ::open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0 || ::write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    fail(path);
  }
  ::close(file);
}

std::string map_to(std::uint32_t outside) {
  return std::to_string(user_inside) + " " + std::to_string(outside) + " 1\n";
}

// What is not in the bounding set can never be had again. This takes CAP_SETPCAP, so it comes
// before a change of user, and once more in a user namespace, which begins with all of them.
// Numbers that the kernel doesn't know are refused.
void empty_bounding_set() {
  for (int capability = 0; capability < capability_count_max; ++capability) {
    ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
}

}  // namespace

void set_limits(const Instructions& instructions) {
  limit(RLIMIT_CORE, 0, "limit core files");
  limit(RLIMIT_MSGQUEUE, 0, "limit message queues");
  limit(RLIMIT_NOFILE, instructions.open_files_max, "limit open files");
  limit(RLIMIT_FSIZE, instructions.file_bytes_max, "limit file sizes");
  limit(RLIMIT_MEMLOCK, instructions.locked_bytes_max, "limit locked memory");
  errno = 0;
  if (instructions.niceness > 0 && ::nice(static_cast<int>(instructions.niceness)) == -1 &&
      errno != 0) {
    fail("be nice");
  }
  if (instructions.processes_max > 0) {
    limit(RLIMIT_NPROC, instructions.processes_max, "limit processes");
  }
  if (instructions.data_bytes_max > 0) {
    limit(RLIMIT_DATA, instructions.data_bytes_max, "limit memory");
  }
}

void become_user(std::uint32_t user) {
  empty_bounding_set();
  ::prctl(PR_SET_KEEPCAPS, 1);
  if (::setgroups(0, nullptr) != 0 || ::setresgid(user, user, user) != 0 ||
      ::setresuid(user, user, user) != 0) {
    fail("change the user");
  }
}

void enter_user_namespace() {
  std::uint32_t user = ::getuid();
  std::uint32_t group = ::getgid();
  if (::unshare(CLONE_NEWUSER) != 0) {
    fail("make a user namespace");
  }
  own_our_proc_files(true);
  write_map("/proc/self/setgroups", "deny");
  write_map("/proc/self/uid_map", map_to(user));
  write_map("/proc/self/gid_map", map_to(group));
  own_our_proc_files(false);
}

void give_up_capabilities() {
  empty_bounding_set();
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  if (::syscall(SYS_capset, &header, none) != 0) {
    fail("give up capabilities");
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    fail("rule out new privileges");
  }
}

void die_with_parent() {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
    fail("die with the server");
  }
  end_without_server();  // it may have died before this counted
}

void install_filter(int descriptor) {
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) {
    fail("read the filter");
  }
  std::vector<sock_filter> code(static_cast<std::size_t>(status.st_size) / sizeof(sock_filter));
  if (::pread(descriptor, code.data(), static_cast<std::size_t>(status.st_size), 0) !=
      status.st_size) {
    fail("read the filter");
  }
  sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) {
    fail("install the filter");
  }
}

// From the change of user on, those that are to be ended could end us; so the blow follows at once.
void end_all_of_user(std::uint32_t user) {
  if (::setgroups(0, nullptr) != 0 || ::setresgid(user, user, user) != 0 ||
      ::setresuid(user, user, user) != 0 || (::kill(-1, SIGKILL) != 0 && errno != ESRCH)) {
    fail("end all processes of a user");
  }
}

}  // namespace capstan
