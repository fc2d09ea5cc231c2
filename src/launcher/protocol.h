#pragma once

#include <cstdint>

namespace capstan {

// What the server and a launcher say to each other over the launcher's status socket
// (SOCK_SEQPACKET): first the server sends one byte, `go`, by which the launcher knows that it
// lives; then the launcher tells how it gets on, one LauncherReport per packet. End of file without
// a failure means that the program has been started in the launcher's place.

inline constexpr char launcher_go = 'g';

struct LauncherReport {
  enum class Kind : std::uint32_t {
    home,     // the packet carries the folder that the program starts in
    door,     // the packet carries a listening socket; in the order of --door
    service,  // the packet carries a connection to the service
    started,  // the program runs, as a child of the launcher, which stays as the cage's pid 1
    failed,   // `step` failed with errno `value`; the launcher has ended
    ended,    // the program has ended with the wait status `value`, and all others in its cage
  };

  Kind kind;
  std::int32_t value;
  char step[56];  // with a NUL at its end
};

}  // namespace capstan
