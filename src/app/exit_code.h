#pragma once

#include <string_view>

#include "base/error.h"

namespace capstan {

// How the program ends. Scripts rely on these numbers; `capstan --help` lists them.
enum class ExitCode {
  ok = 0,
  failed = 1,  // the run's code failed; or something that has no number of its own
  usage = 2,   // a command line, setting, file or data folder that can't be used
  cancelled = 3,
  not_allowed = 4,
  bad_input = 5,  // the server refused what was sent: inputs, or code with an error
  gave_up = 6,    // --timeout has passed; the run goes on
  unreachable = 7,
  not_found = 8,
  timed_out = 9,  // the run took longer than the server allows
};

ExitCode to_exit_code(const Error& error);
// Of a run that has ended: "success", "failure", "timeout", "cancelled".
ExitCode to_exit_code(std::string_view run_status);

// The numbers and what they mean, for --help.
std::string_view exit_code_help();

}  // namespace capstan
