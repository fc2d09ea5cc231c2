#include "cage/control_groups.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <signal.h>
#include <sstream>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"

namespace capstan {
namespace {

constexpr std::array<std::string_view, 3> wanted = {"memory", "pids", "cpu"};
constexpr std::string_view prefix = "capstan-";
constexpr double default_shares = 1024;  // the kernel's own default
constexpr double share_ratio_of_a_step = 1.25;
constexpr std::uint64_t period_us = 100'000;  // the kernel's own default for processor quotas

// What the kernel gives to a process of this niceness.
std::uint64_t shares_of(std::uint64_t niceness) {
  return static_cast<std::uint64_t>(default_shares /
                                    std::pow(share_ratio_of_a_step, static_cast<double>(niceness)));
}

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Files of a control group take one write.
bool write_text(const std::filesystem::path& path, const std::string& text) {
  Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) {
    parts.push_back(part);
  }
  return parts;
}

struct LockedFolder {
  std::filesystem::path path;
  Fd lock;
};

// Nothing if another server has it, or it isn't there any more.
Fd try_lock(const std::filesystem::path& folder) {
  Fd lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat locked{};
  struct stat found{};
  if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0 || ::fstat(lock.get(), &locked) != 0 ||
      ::stat(folder.c_str(), &found) != 0 || found.st_ino != locked.st_ino) {
    lock.reset();
  }
  return lock;
}

// A group for ourselves. Its lock tells others that we live; a process id wouldn't, for they may be
// in another pid namespace.
std::optional<LockedFolder> make_own_folder(const std::filesystem::path& parent) {
  constexpr int attempts_max = 1000;
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    std::filesystem::path folder =
        parent / (std::string(prefix) + std::to_string(::getpid()) + "-" + std::to_string(attempt));
    if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) {
      return std::nullopt;
    }
    if (Fd lock = try_lock(folder)) {
      return LockedFolder{std::move(folder), std::move(lock)};
    }
  }
  return std::nullopt;
}

void remove_with_children(const std::filesystem::path& folder) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.is_directory(ignored)) {
      ::rmdir(entry.path().c_str());
    }
  }
  ::rmdir(folder.c_str());
}

// Ends what still runs in the groups of servers that have died, and removes these.
void remove_leftovers(const std::filesystem::path& parent) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(parent, ignored)) {
    if (!entry.path().filename().string().starts_with(prefix)) {
      continue;
    }
    if (Fd lock = try_lock(entry.path())) {
      for (const auto& child : std::filesystem::directory_iterator(entry.path(), ignored)) {
        if (child.is_directory(ignored)) {
          ControlGroup left({child.path()});
          left.kill();
          left.remove();
        }
      }
      ::rmdir(entry.path().c_str());
    }
  }
}

struct Mount {
  std::filesystem::path place;
  std::string root;  // the group that is to be seen there as the topmost
  bool is_version_2;
  std::vector<std::string> options;
};

// ID PARENT DEVICE ROOT PLACE OPTIONS ... - KIND SOURCE SUPER_OPTIONS (proc(5), mountinfo)
std::vector<Mount> control_group_mounts() {
  std::vector<Mount> mounts;
  for (const std::string& line : split(read_text("/proc/self/mountinfo"), '\n')) {
    std::vector<std::string> words = split(line, ' ');
    auto dash = std::find(words.begin(), words.end(), "-");
    if (words.size() < 5 || words.end() - dash < 4) {
      continue;
    }
    if (dash[1] == "cgroup" || dash[1] == "cgroup2") {
      mounts.push_back({words[4], words[3], dash[1] == "cgroup2", split(dash[3], ',')});
    }
  }
  return mounts;
}

// Our own group in a hierarchy: HIERARCHY:CONTROLLERS:PATH. Version 2 has no controllers there.
std::string own_group(const std::vector<std::string>& controllers) {
  for (const std::string& line : split(read_text("/proc/self/cgroup"), '\n')) {
    std::size_t first = line.find(':');
    std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) {
      continue;
    }
    std::vector<std::string> named = split(line.substr(first + 1, second - first - 1), ',');
    bool matches = controllers.empty()
                       ? named.empty()
                       : !named.empty() && std::find(controllers.begin(), controllers.end(),
                                                     named.front()) != controllers.end();
    if (matches) {
      return line.substr(second + 1);
    }
  }
  return "/";
}

std::filesystem::path folder_of(const Mount& mount, const std::string& group) {
  std::string below = group;
  if (mount.root != "/" && below.starts_with(mount.root)) {
    below = below.substr(mount.root.size());
  }
  return mount.place / std::filesystem::path(below).relative_path();
}

// Moves us back to where we were found (version 2).
void leave(const std::filesystem::path& folder, const std::vector<std::string>& controllers) {
  for (const std::string& controller : controllers) {
    write_text(folder / "cgroup.subtree_control", "-" + controller);
    write_text(folder.parent_path() / "cgroup.subtree_control", "-" + controller);
  }
  write_text(folder.parent_path() / "cgroup.procs", std::to_string(::getpid()));
}

}  // namespace

void ControlGroup::remove() const {
  constexpr int attempts_max = 100;
  for (const std::filesystem::path& folder : folders_) {
    for (int attempt = 0; ::rmdir(folder.c_str()) != 0 && errno == EBUSY; ++attempt) {
      if (attempt == attempts_max) {
        log_warning("control_group_left", {{"folder", folder.string()}});
        break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
}

std::vector<Fd> ControlGroup::entrances() const {
  std::vector<Fd> entrances;
  for (const std::filesystem::path& folder : folders_) {
    // Version 1 moves a single thread, which doesn't have to wait; version 2 knows processes only.
    Fd entrance(::open((folder / "tasks").c_str(), O_WRONLY | O_CLOEXEC));
    if (!entrance) {
      entrance = Fd(::open((folder / "cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    }
    if (!entrance) {
      throw Error(ErrorCode::unavailable, "can't bound a process",
                  folder.string() + ": " + std::strerror(errno));
    }
    entrances.push_back(std::move(entrance));
  }
  return entrances;
}

void ControlGroup::kill() const {
  for (const std::filesystem::path& folder : folders_) {
    if (write_text(folder / "cgroup.kill", "1")) {
      return;
    }
  }
  // Version 1 has no such file: whoever forks faster than this meets its bound on processes.
  if (!folders_.empty()) {
    for (int round = 0; round < 100; ++round) {
      std::vector<std::string> members = split(read_text(folders_.front() / "cgroup.procs"), '\n');
      if (members.empty()) {
        return;
      }
      for (const std::string& member : members) {
        if (pid_t pid = std::atoi(member.c_str()); pid > 0) {  // 0 is in a pid namespace not ours
          ::kill(pid, SIGKILL);
        }
      }
    }
  }
}

std::optional<std::uint64_t> ControlGroup::counter(std::string_view file,
                                                   std::string_view name) const {
  for (const std::filesystem::path& folder : folders_) {
    for (const std::string& line : split(read_text(folder / file), '\n')) {
      if (line.starts_with(std::string(name) + " ")) {
        return std::strtoull(line.c_str() + name.size() + 1, nullptr, 10);
      }
    }
  }
  return std::nullopt;
}

std::uint64_t ControlGroup::memory_kills() const {
  auto version_2 = counter("memory.events", "oom_kill");
  return version_2 ? *version_2 : counter("memory.oom_control", "oom_kill").value_or(0);
}

std::uint64_t ControlGroup::processes_refused() const {
  return counter("pids.events", "max").value_or(0);
}

ControlGroups::ControlGroups() {
  find_hierarchies();
  for (std::string_view controller : wanted) {
    if (!bounds(controller)) {
      trouble_ += (trouble_.empty() ? "no control group of ours for " : ", ");
      trouble_ += controller;
    }
  }
}

ControlGroups::~ControlGroups() {
  for (const Hierarchy& hierarchy : hierarchies_) {
    if (hierarchy.is_version_2) {
      leave(hierarchy.folder, hierarchy.controllers);
    }
    remove_with_children(hierarchy.folder);
  }
}

void ControlGroups::find_hierarchies() {
  for (const Mount& mount : control_group_mounts()) {
    std::vector<std::string> controllers;
    std::filesystem::path parent = folder_of(mount, own_group({}));
    if (!mount.is_version_2) {
      parent = folder_of(mount, own_group(mount.options));
    }
    const std::vector<std::string> offered =
        mount.is_version_2 ? split(read_text(parent / "cgroup.controllers"), ' ') : mount.options;
    for (std::string_view controller : wanted) {
      bool is_offered = std::any_of(offered.begin(), offered.end(), [&](const std::string& name) {
        return name.substr(0, name.find('\n')) == controller;
      });
      if (is_offered && !bounds(controller)) {
        controllers.emplace_back(controller);
      }
    }
    if (!controllers.empty()) {
      take(parent, controllers, mount.is_version_2);
    }
  }
}

void ControlGroups::take(const std::filesystem::path& parent,
                         const std::vector<std::string>& controllers, bool is_version_2) {
  remove_leftovers(parent);
  std::optional<LockedFolder> own = make_own_folder(parent);
  if (!own) {
    return;
  }
  Hierarchy hierarchy{std::move(own->path), std::move(own->lock), {}, is_version_2};
  if (is_version_2) {
    // A group with processes of its own can't bound those below it, so we move out of the way into
    // a leaf, and hand down what there is.
    std::filesystem::path leaf = hierarchy.folder / "server";
    ::mkdir(leaf.c_str(), 0755);
    write_text(leaf / "cgroup.procs", std::to_string(::getpid()));
    for (const std::string& controller : controllers) {
      write_text(parent / "cgroup.subtree_control", "+" + controller);
      if (write_text(hierarchy.folder / "cgroup.subtree_control", "+" + controller)) {
        hierarchy.controllers.push_back(controller);
      }
    }
  } else {
    hierarchy.controllers = controllers;
  }
  if (hierarchy.controllers.empty()) {
    leave(hierarchy.folder, controllers);
    remove_with_children(hierarchy.folder);
    return;
  }
  hierarchies_.push_back(std::move(hierarchy));
}

bool ControlGroups::bounds(std::string_view controller) const {
  return std::any_of(hierarchies_.begin(), hierarchies_.end(), [&](const Hierarchy& hierarchy) {
    return std::find(hierarchy.controllers.begin(), hierarchy.controllers.end(), controller) !=
           hierarchy.controllers.end();
  });
}

// False, with errno, if a bound can't be set that this hierarchy is there for.
bool ControlGroups::set_bounds(const std::filesystem::path& folder, const CageLimits& limits,
                               const Hierarchy& hierarchy) {
  bool is_new = hierarchy.is_version_2;
  auto has = [&](std::string_view controller) {
    return std::find(hierarchy.controllers.begin(), hierarchy.controllers.end(), controller) !=
           hierarchy.controllers.end();
  };
  if (has("memory") && limits.memory_bytes_max > 0) {
    std::string bytes = std::to_string(limits.memory_bytes_max);
    if (!write_text(folder / (is_new ? "memory.max" : "memory.limit_in_bytes"), bytes)) {
      return false;
    }
    // Where swap and, apart from the rest, TCP's buffers are counted, they are bounded too.
    write_text(folder / (is_new ? "memory.swap.max" : "memory.memsw.limit_in_bytes"),
               is_new ? "0" : bytes);
    write_text(folder / "memory.kmem.tcp.limit_in_bytes", bytes);
  }
  if (has("pids") && limits.processes_max > 0 &&
      !write_text(folder / "pids.max", std::to_string(limits.processes_max))) {
    return false;
  }
  if (has("cpu") && limits.cpu_percent_max > 0) {
    std::string quota = std::to_string(limits.cpu_percent_max * period_us / 100);
    std::string period = std::to_string(period_us);
    bool bounded = is_new ? write_text(folder / "cpu.max", quota + " " + period)
                          : write_text(folder / "cpu.cfs_period_us", period) &&
                                write_text(folder / "cpu.cfs_quota_us", quota);
    if (!bounded) {
      return false;
    }
  }
  // A process's own niceness counts only among those of its group.
  if (has("cpu") && limits.niceness > 0) {
    return is_new ? write_text(folder / "cpu.weight.nice", std::to_string(limits.niceness))
                  : write_text(folder / "cpu.shares", std::to_string(shares_of(limits.niceness)));
  }
  return true;
}

std::unique_ptr<ControlGroup> ControlGroups::make(const CageLimits& limits) {
  if (hierarchies_.empty()) {
    return nullptr;
  }
  std::string name = "cage-" + std::to_string(next_++);
  std::vector<std::filesystem::path> folders;
  for (const Hierarchy& hierarchy : hierarchies_) {
    std::filesystem::path folder = hierarchy.folder / name;
    // A cage that is said to be bounded must be.
    if (::mkdir(folder.c_str(), 0755) != 0 || !set_bounds(folder, limits, hierarchy)) {
      std::string cause = folder.string() + ": " + std::strerror(errno);
      folders.push_back(folder);
      ControlGroup(std::move(folders)).remove();
      throw Error(ErrorCode::unavailable, "can't bound a cage", std::move(cause));
    }
    folders.push_back(std::move(folder));
  }
  return std::make_unique<ControlGroup>(std::move(folders));
}

}  // namespace capstan
