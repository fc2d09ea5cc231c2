#pragma once

#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "cage/order.h"
#include "launcher/protocol.h"

namespace capstan {

// What the launcher is started with.
struct LaunchOrder {
  int launcher;  // its file
  std::vector<std::string> words;
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<Inherited> descriptors;
  std::vector<Fd> control_groups = {};  // the entrances of those that it enters
  // A pid namespace of its own; and, where that is not for us to make otherwise, a user namespace
  // around it.
  bool in_pid_namespace = false;
  bool in_user_namespace = false;
  std::size_t door_count = 0;
  bool has_service = false;
};

struct Launched {
  pid_t pid;  // of the program, or of pid 1 of its cage
  Fd pidfd;
  Fd status_socket;  // where pid 1 tells how the program ended
  std::vector<Fd> doors;
  Fd service;  // a connection to it, if one was ordered
  Fd home;     // of a cage with files of its own: its folder, which can't be found by any path
};

// The number under which the launcher finds the status socket, and the filter.
inline constexpr int launcher_status_number = 250;
inline constexpr int launcher_filter_number = 251;

// Starts a launcher in a session and process group of its own, and waits until the program runs.
// Blocks for 1 to 10 ms; the launcher's start is vfork-like, because fork took 40 ms at 1.5 GB of
// our own memory. The child is killed when the calling *thread* ends, so call it from a thread that
// lives as long as the server. Throws unavailable with the step that failed and the system's
// reason.
Launched launch(LaunchOrder order);

// How the program of a pid 1 that has ended has ended: its wait status, or nothing if that was not
// told, since pid 1 was killed.
std::optional<int> told_end(const Fd& status_socket);

// Kills all processes of a user, who may be dying still when it returns. Throws unavailable if that
// couldn't be done.
void end_all_of_user(int launcher, std::uint32_t user);

}  // namespace capstan
