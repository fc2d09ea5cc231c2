#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "cage/order.h"

namespace capstan {

// Control groups of one cage: bounds that hold for all of its processes together, and a way to end
// them. Whoever is done with them calls remove(); what is left is removed with the server's group.
class ControlGroup {
 public:
  explicit ControlGroup(std::vector<std::filesystem::path> folders)
      : folders_(std::move(folders)) {}
  ControlGroup(const ControlGroup&) = delete;
  ControlGroup& operator=(const ControlGroup&) = delete;

  // A process that writes `0` to each of these enters. Throws unavailable.
  std::vector<Fd> entrances() const;
  // Ends all that is inside.
  void kill() const;
  // Removes the groups. Processes that were killed leave them a little later, so this waits for
  // them, for up to 2 s; it blocks.
  void remove() const;
  // How often the kernel ended a process in here for want of memory, and refused a new one.
  std::uint64_t memory_kills() const;
  std::uint64_t processes_refused() const;

 private:
  std::optional<std::uint64_t> counter(std::string_view file, std::string_view name) const;

  std::vector<std::filesystem::path> folders_;
};

// The control groups that this server may make: below its own, in each hierarchy that has a
// controller of ours (version 1), or in the one hierarchy (version 2, cgroups(7)). Blocks for a
// moment at each call. Owned by Cage.
class ControlGroups {
 public:
  // Finds out what there is, and removes what servers that have died left.
  ControlGroups();
  ~ControlGroups();
  ControlGroups(const ControlGroups&) = delete;
  ControlGroups& operator=(const ControlGroups&) = delete;

  bool bounds_memory() const { return bounds("memory"); }
  bool bounds_processes() const { return bounds("pids"); }
  bool bounds_cpu() const { return bounds("cpu"); }
  // Why not all three are there; empty if they are.
  const std::string& trouble() const { return trouble_; }

  // A group with these bounds, as far as there are controllers for them; nothing without any.
  std::unique_ptr<ControlGroup> make(const CageLimits& limits);

 private:
  struct Hierarchy {
    std::filesystem::path folder;  // ours, in which cages get theirs
    Fd lock;                       // by which others know that we live
    std::vector<std::string> controllers;
    bool is_version_2 = false;
  };

  bool bounds(std::string_view controller) const;
  static bool set_bounds(const std::filesystem::path& folder, const CageLimits& limits,
                         const Hierarchy& hierarchy);
  void find_hierarchies();
  void take(const std::filesystem::path& parent, const std::vector<std::string>& controllers,
            bool is_version_2);

  std::vector<Hierarchy> hierarchies_;
  std::string trouble_;
  std::uint64_t next_ = 0;
};

}  // namespace capstan
