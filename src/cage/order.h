#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/file.h"

namespace capstan {

// What runs in a cage: a task's program, or a browser, which puts cages of its own around its
// parts and so may make namespaces.
enum class CageKind { task, browser };

std::string_view to_text(CageKind kind);

// Bounds that the kernel holds. Those of the whole cage need control groups that we may write, or
// are replaced by what there is for single processes (docs/guide/security.md); 0 is no bound.
struct CageLimits {
  // Of everything in the cage together.
  std::uint64_t memory_bytes_max = 0;  // with what lies in its folders, where these are in memory
  // What the program reserves of its address space and never touches: where the kernel would count
  // it as memory, it comes on top.
  std::uint64_t reserved_bytes = 0;
  std::uint64_t processes_max = 256;  // with threads
  std::uint64_t cpu_percent_max = 0;  // 100 is one processor
  // 0 to 19, by which the cage leaves the processors to others that want them: as with nice(1),
  // each step makes its share a fifth smaller. Without control groups it holds for each process.
  std::uint64_t niceness = 0;
  std::uint64_t home_bytes_max = std::uint64_t{256} << 20;
  std::uint64_t shared_memory_bytes_max = 0;  // /dev/shm; 0: there is none

  // Of each process. There are never core files.
  std::uint64_t open_files_max = 1024;
  std::uint64_t file_bytes_max = std::uint64_t{256} << 20;
  std::uint64_t locked_bytes_max = std::uint64_t{64} << 10;
};

// A descriptor that the child shall have under `number`, which is below 200.
struct Inherited {
  int number;
  Fd fd;
};

// What a program finds in its cage. It is known before the program starts.
struct Interior {
  std::filesystem::path home;      // its own folder, empty, and where it starts
  std::vector<std::string> doors;  // of each door its URL, http://127.0.0.1:PORT
};

// The child has exactly this: no other environment.
struct Command {
  std::filesystem::path program;
  std::vector<std::string> arguments = {};  // without the program's own name
  std::vector<std::pair<std::string, std::string>> environment = {};
};

// A second program in the same cage, which serves the first one, and us, at a socket. It is started
// by systemd's protocol (sd_listen_fds): the socket is there before either program runs, so who
// calls early waits. It has the first one's walls and limits, but none of its descriptors. Nothing
// follows from its end.
struct Service {
  std::filesystem::path socket;  // a file in the cage, below its home
  std::filesystem::path program;
  std::vector<std::string> arguments = {};
};

// What to start, and with what. Standard streams that are not listed are /dev/null; the child has
// no other descriptors, and no files but the system's libraries and programs, its home, and what
// is listed here.
struct ChildOrder {
  CageKind kind = CageKind::task;
  std::function<Command(const Interior&)> command = {};
  std::vector<std::filesystem::path> readable = {};
  std::vector<std::filesystem::path> writable = {};
  std::vector<Inherited> descriptors = {};
  CageLimits limits = {};
  // How many ways lead from inside to us. The first has always the port 8723 in a cage with a
  // network of its own, the next one 8724, and so on.
  std::size_t door_count = 0;
  // Only in a cage with files of its own, which is one at the level strict.
  std::optional<Service> service = {};
};

}  // namespace capstan
