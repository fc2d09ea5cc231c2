#pragma once

#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "io/event.h"
#include "io/file.h"

namespace capstan {

struct ExitStatus {
  int code = 0;    // of exit(), when the process ended by itself
  int signal = 0;  // that killed it, else 0

  std::string text() const;  // "exit code 1", "signal 9 (Killed)"
};

// The way from inside a cage to us: a listening loopback socket. Whoever calls there is the child
// (or, where the level of isolation is none, another process of this machine).
struct Door {
  Fd listener;
  std::string url;  // as the child sees it: http://127.0.0.1:PORT
};

// Which of its bounds a cage has met so far.
struct LimitsMet {
  bool memory = false;     // the kernel ended a process for it
  bool processes = false;  // it was refused another process or thread
  bool home = false;       // its folder is full
};

// A running program and everything else in its cage. Owned by whoever ordered it; destroying it
// ends the whole cage at once. The Cage that made it reaps it, removes its folder, and must
// outlive it.
class Child {
 public:
  struct Process;  // shared with the Cage's reaper

  explicit Child(std::shared_ptr<Process> process);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const;
  // Ends all that is in the cage at once.
  void kill();
  // Waits until the program has ended. Below the level strict, others of its cage have been killed
  // by then, but may be dying still.
  Async<ExitStatus> wait();
  // Waits until nothing is left of the cage: no process, no folder.
  Async<> gone();
  std::optional<ExitStatus> exit_status() const;
  // The doors that were ordered, in order; each can be taken once.
  Door take_door(std::size_t index = 0);
  // A connection to the service that was ordered; once.
  Fd take_service();
  // Blocks for a moment. What was met is known until shortly after the end.
  LimitsMet limits_met() const;

 private:
  std::shared_ptr<Process> process_;
};

}  // namespace capstan
