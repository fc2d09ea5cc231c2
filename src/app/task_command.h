#pragma once

#include "app/command_flags.h"
#include "app/exit_code.h"
#include "base/json.h"

namespace capstan {

// `capstan task push | run | list | show`: asks a server, over its API.
class TaskCommand {
 public:
  // Adds its subcommands to `command`; what the user gave is known once that has been parsed.
  explicit TaskCommand(CLI::App& command);

  ExitCode run();

 private:
  void add_push(CLI::App& command);
  void add_run(CLI::App& command);

  ExitCode push() const;
  ExitCode start() const;
  ExitCode list() const;
  ExitCode show() const;
  json::object run_body() const;

  ClientFlags flags_;
  CLI::App* push_;
  CLI::App* run_;
  CLI::App* list_;
  CLI::App* show_;

  std::string name_;
  std::string file_;
  bool deploy_ = false;
  std::vector<std::string> inputs_;
  std::string version_;
  std::string limit_;
  bool async_ = false;
  bool quiet_ = false;
};

}  // namespace capstan
