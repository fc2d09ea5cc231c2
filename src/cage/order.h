#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/file.h"

namespace capstan {

// Bounds that the kernel holds against one process (setrlimit). There are never core files.
struct ProcessLimits {
  std::uint64_t open_files_max = 1024;
  std::uint64_t file_bytes_max = std::uint64_t{256} << 20;
  std::uint64_t locked_bytes_max = std::uint64_t{64} << 10;
};

struct UserId {
  std::uint32_t user;
  std::uint32_t group;
};

// A descriptor that the child shall have under `number`.
struct Inherited {
  int number;
  Fd fd;
};

// What to start, and with what. The child has exactly this: no other environment, no other open
// descriptors. Standard streams that are not listed are /dev/null.
struct ChildOrder {
  std::filesystem::path program;
  std::vector<std::string> arguments = {};  // without the program's own name
  std::vector<std::pair<std::string, std::string>> environment = {};
  std::filesystem::path working_folder = "/";
  std::vector<Inherited> descriptors = {};
  ProcessLimits limits = {};
  // Set to give up root; only a server that runs as root can.
  std::optional<UserId> run_as = {};
  // Whether the child gets a door: a loopback address, inside its cage, that leads to us.
  bool with_door = false;
};

}  // namespace capstan
