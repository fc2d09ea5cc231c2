#include "launcher/landlock.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/report.h"

namespace capstan {
namespace {

// The kernel's interface (landlock(7)), beyond what Debian 12's headers know of it.
namespace landlock {

struct Ruleset {
  std::uint64_t handled_access_fs;
  std::uint64_t handled_access_net;
  std::uint64_t scoped;
};
struct [[gnu::packed]] PathRule {
  std::uint64_t allowed_access;
  std::int32_t parent_fd;
};
struct PortRule {
  std::uint64_t allowed_access;
  std::uint64_t port;
};
constexpr int path_beneath = 1;
constexpr int net_port = 2;
constexpr unsigned create_version = 1;

constexpr std::uint64_t execute = 1 << 0;
constexpr std::uint64_t write_file = 1 << 1;
constexpr std::uint64_t read_file = 1 << 2;
constexpr std::uint64_t read_dir = 1 << 3;
constexpr std::uint64_t first_version = (1 << 13) - 1;
constexpr std::uint64_t refer = 1 << 13;
constexpr std::uint64_t truncate = 1 << 14;
constexpr std::uint64_t ioctl_dev = 1 << 15;
constexpr std::uint64_t bind_tcp = 1 << 0;
constexpr std::uint64_t connect_tcp = 1 << 1;
constexpr std::uint64_t abstract_sockets = 1 << 0;
constexpr std::uint64_t signals = 1 << 1;

}  // namespace landlock

constexpr std::uint64_t reading = landlock::execute | landlock::read_file | landlock::read_dir;
// What a rule may say of a file that is no folder.
constexpr std::uint64_t of_files = landlock::execute | landlock::write_file | landlock::read_file |
                                   landlock::truncate | landlock::ioctl_dev;

long version() {
  return ::syscall(SYS_landlock_create_ruleset, nullptr, 0, landlock::create_version);
}

landlock::Ruleset ruleset_for(long version, bool confines_tcp) {
  landlock::Ruleset ruleset{
      .handled_access_fs = landlock::first_version, .handled_access_net = 0, .scoped = 0};
  if (version >= 2) ruleset.handled_access_fs |= landlock::refer;
  if (version >= 3) ruleset.handled_access_fs |= landlock::truncate;
  if (version >= 5) ruleset.handled_access_fs |= landlock::ioctl_dev;
  if (version >= 4 && confines_tcp) {
    ruleset.handled_access_net = landlock::bind_tcp | landlock::connect_tcp;
  }
  if (version >= 6) ruleset.scoped = landlock::abstract_sockets | landlock::signals;
  return ruleset;
}

void allow_path(int rules, const char* path, std::uint64_t access) {
  int place = ::open(path, O_PATH | O_CLOEXEC);
  if (place < 0) {
    return;  // what isn't there needs no leave
  }
  struct stat status{};
  ::fstat(place, &status);
  landlock::PathRule rule{.allowed_access = S_ISDIR(status.st_mode) ? access : access & of_files,
                          .parent_fd = place};
  if (::syscall(SYS_landlock_add_rule, rules, landlock::path_beneath, &rule, 0) != 0) {
    fail("allow a path");
  }
  ::close(place);
}

void allow_port(int rules, std::uint16_t port) {
  landlock::PortRule rule{.allowed_access = landlock::connect_tcp, .port = port};
  if (::syscall(SYS_landlock_add_rule, rules, landlock::net_port, &rule, 0) != 0) {
    fail("allow a port");
  }
}

}  // namespace

int make_landlock_rules(const Instructions& instructions) {
  long known = version();
  bool confines_tcp = !instructions.connect_to.empty();
  if (known < 1) {
    fail("find Landlock");
  }
  if (confines_tcp && known < 4) {
    errno = ENOSYS;
    fail("confine TCP with Landlock");
  }
  landlock::Ruleset ruleset = ruleset_for(known, confines_tcp);
  int rules = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &ruleset, sizeof ruleset, 0));
  if (rules < 0) {
    fail("make a Landlock ruleset");
  }
  const std::uint64_t all = ruleset.handled_access_fs;
  const std::uint64_t devices = all & of_files;
  for (const char* path : instructions.readable) allow_path(rules, path, reading);
  for (const char* path : {"/bin", "/lib", "/lib64", "/etc/hosts", "/etc/passwd", "/etc/group",
                           "/etc/nsswitch.conf"}) {
    allow_path(rules, path, reading);
  }
  for (const char* path : instructions.writable) allow_path(rules, path, all);
  for (const Scratch& scratch : instructions.scratches) allow_path(rules, scratch.path, all);
  for (const char* path : {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}) {
    allow_path(rules, path, devices & ~landlock::execute);
  }
  allow_path(rules, "/proc",
             landlock::read_file | landlock::read_dir |
                 (instructions.writes_proc ? landlock::write_file : 0));
  for (std::uint16_t port : instructions.connect_to) allow_port(rules, port);
  return rules;
}

void confine_with_landlock(int rules) {
  if (::syscall(SYS_landlock_restrict_self, rules, 0) != 0) {
    fail("confine with Landlock");
  }
  ::close(rules);
}

}  // namespace capstan
