#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace capstan {

// Who the program is in its own eyes, where it has namespaces.
inline constexpr std::uint32_t user_inside = 1000;

// A folder in memory, of a bounded size, for the program's own files.
struct Scratch {
  const char* path;
  std::uint64_t bytes_max;
};

// A second program, started before the first, with the socket at which it serves. Its arguments
// begin with the path of the program.
struct ServiceInstructions {
  const char* socket = nullptr;
  std::vector<const char*> words;
};

// The launcher's command line (written by cage/walls.cpp): options, then `--` and the program with
// its arguments. All paths are absolute and hold no symbolic links. The program's environment is
// the launcher's own, its descriptors are those that the launcher was started with.
struct Instructions {
  int status_socket = -1;                 // --status FD
  bool namespaces = false;                // --namespaces: we are pid 1 of a new pid namespace
  std::optional<std::uint32_t> user;      // --user ID: give up root for this user and group
  bool end_user = false;                  // --end-user: kill all that this user runs, and end
  std::vector<const char*> readable;      // --readable PATH: to read and execute
  std::vector<const char*> writable;      // --writable PATH
  std::vector<Scratch> scratches;         // --scratch PATH BYTES
  std::vector<std::uint16_t> doors;       // --door PORT: a listener on the cage's loopback
  ServiceInstructions service;            // --service SOCKET, --service-word WORD
  std::vector<std::uint16_t> connect_to;  // --connect-to PORT: TCP leads there and nowhere else
  bool landlock = false;                  // --landlock
  bool writes_proc = false;               // --writes-proc: maps users of namespaces it makes
  int filter = -1;                        // --filter FD: a seccomp program
  const char* work_in = "/";              // --work-in PATH
  std::uint64_t open_files_max = 0;       // --open-files N
  std::uint64_t file_bytes_max = 0;       // --file-bytes N
  std::uint64_t locked_bytes_max = 0;     // --locked-bytes N
  std::uint64_t niceness = 0;             // --niceness N
  std::uint64_t processes_max = 0;        // --processes N; 0: no bound of this kind
  std::uint64_t data_bytes_max = 0;       // --data-bytes N; 0: no bound of this kind
  char** program = nullptr;               // ends with a null pointer

  int word_count = 0;  // the command line itself
  char** words = nullptr;
};

// Nothing for a command line that isn't one.
std::optional<Instructions> read_instructions(int count, char** words);

// From here on ps shows the launcher's name alone, without the command line of the program that it
// is beside. What points into the command line is of no use any more.
void forget_command_line(const Instructions& instructions);

}  // namespace capstan
