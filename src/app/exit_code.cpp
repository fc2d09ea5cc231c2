#include "app/exit_code.h"

namespace capstan {

ExitCode to_exit_code(const Error& error) {
  switch (error.code()) {
    case ErrorCode::invalid_argument:
      return ExitCode::usage;
    case ErrorCode::unauthenticated:
    case ErrorCode::permission_denied:
      return ExitCode::not_allowed;
    case ErrorCode::not_found:
    case ErrorCode::gone:
      return ExitCode::not_found;
    case ErrorCode::unprocessable:
    case ErrorCode::unsupported_media_type:
      return ExitCode::bad_input;
    case ErrorCode::deadline_exceeded:
      return ExitCode::gave_up;
    case ErrorCode::unavailable:
    case ErrorCode::resource_exhausted:
      return ExitCode::unreachable;
    case ErrorCode::cancelled:
      return ExitCode::cancelled;
    case ErrorCode::conflict:
    case ErrorCode::not_implemented:
    case ErrorCode::internal:
      return ExitCode::failed;
  }
  return ExitCode::failed;
}

ExitCode to_exit_code(std::string_view run_status) {
  return run_status == "success"     ? ExitCode::ok
         : run_status == "timeout"   ? ExitCode::timed_out
         : run_status == "cancelled" ? ExitCode::cancelled
                                     : ExitCode::failed;
}

std::string_view exit_code_help() {
  return "Exit codes:\n"
         "  0  done; of `task run`: the run succeeded\n"
         "  1  the run failed, or something that has no number of its own did\n"
         "  2  the command line, a setting, a file or the data folder can't be used\n"
         "  3  the run was cancelled by somebody\n"
         "  4  no API key, or one that is not valid\n"
         "  5  the server refused what was sent: inputs, or code with an error\n"
         "  6  --timeout has passed; the run goes on\n"
         "  7  the server can't be reached, or can't serve now\n"
         "  8  there is no such task, run or key\n"
         "  9  the run took longer than the server allows";
}

}  // namespace capstan
