#pragma once

#include "app/command_flags.h"
#include "app/exit_code.h"
#include "app/finding.h"

namespace capstan {

// `capstan doctor`: looks at all that a server needs here, and says how to mend what is wrong.
class DoctorCommand {
 public:
  // Adds its flags to `command`; what the user gave is known once that has been parsed.
  explicit DoctorCommand(CLI::App& command);

  // failed when something must be mended before runs can succeed.
  ExitCode run();

 private:
  ConfigFlags flags_;
  bool json_ = false;
};

}  // namespace capstan
