#pragma once

#include "app/command_flags.h"
#include "app/exit_code.h"

namespace capstan {

// `capstan run list | show | logs`: what became of a task's runs. A run is named by its task and
// its id, as it is in the API.
class RunCommand {
 public:
  // Adds its subcommands to `command`; what the user gave is known once that has been parsed.
  explicit RunCommand(CLI::App& command);

  ExitCode run();

 private:
  ExitCode list() const;
  ExitCode show() const;
  ExitCode logs() const;

  ClientFlags flags_;
  CLI::App* list_;
  CLI::App* show_;
  CLI::App* logs_;

  std::string task_;
  std::string id_;
  int limit_ = 20;
  bool follow_ = false;
};

}  // namespace capstan
