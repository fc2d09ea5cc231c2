#pragma once

#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>

#include "io/event.h"
#include "io/file.h"

namespace capstan {

struct ExitStatus {
  int code = 0;    // of exit(), when the process ended by itself
  int signal = 0;  // that killed it, else 0

  std::string text() const;  // "exit code 1", "signal 9 (Killed)"
};

// The way from inside a cage to us: a listening loopback socket. Whoever calls there is the child
// (or, below isolation level standard, another process of this machine).
struct Door {
  Fd listener;
  std::string url;  // as the child sees it: http://127.0.0.1:PORT
};

// A running process and all it has started in its process group. Owned by whoever ordered it;
// destroying it kills the whole group at once. The Cage that made it reaps it and must outlive it.
class Child {
 public:
  struct Process;  // shared with the Cage's reaper

  explicit Child(std::shared_ptr<Process> process);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const;
  // Kills the group at once.
  void kill();
  // Waits until the process has ended. Its group has been killed by then, but processes of it may
  // be dying still.
  Async<ExitStatus> wait();
  std::optional<ExitStatus> exit_status() const;
  // The door that was ordered; can be taken once.
  Door take_door();

 private:
  std::shared_ptr<Process> process_;
};

}  // namespace capstan
