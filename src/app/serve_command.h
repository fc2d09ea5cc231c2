#pragma once

#include "app/command_flags.h"
#include "app/exit_code.h"

namespace capstan {

// `capstan serve`: the server, until SIGTERM or SIGINT.
class ServeCommand {
 public:
  // Adds its flags to `command`; what the user gave is known once that has been parsed.
  explicit ServeCommand(CLI::App& command);

  ExitCode run();

 private:
  ConfigFlags flags_;
};

}  // namespace capstan
