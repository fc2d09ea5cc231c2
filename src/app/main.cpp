#include <cstdio>

#include "app/doctor_command.h"
#include "app/keys_command.h"
#include "app/run_command.h"
#include "app/serve_command.h"
#include "app/task_command.h"
#include "io/outcome.h"

namespace {

using namespace capstan;

ExitCode report(const Error& error) {
  std::fprintf(stderr, "capstan: %s\n", error.message().c_str());
  if (!error.cause().empty()) {
    std::fprintf(stderr, "  because: %s\n", error.cause().c_str());
  }
  return to_exit_code(error);
}

// CLI11 misses a subcommand and says nothing of the word in its place.
std::string usage_message(const CLI::App* program, const CLI::Error& error) {
  std::vector<std::string> unknown = program->remaining(/*recurse=*/true);
  std::string message = CLI::FailureMessage::simple(program, error);
  return unknown.empty() ? message : "'" + unknown.front() + "' is not known here. " + message;
}

// What was printed may have got nowhere, on a full disk for example.
ExitCode after_printing(ExitCode code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) {
    return code;
  }
  return report(Error(ErrorCode::internal, "can't write to standard output"));
}

ExitCode run(int argc, char** argv) {
  CLI::App program("Capstan runs named browser tasks on your own machines.", "capstan");
  program.set_version_flag("--version", CAPSTAN_VERSION);
  program.require_subcommand(1);
  program.footer(std::string(exit_code_help()));
  program.failure_message(usage_message);

  CLI::App* serve = program.add_subcommand("serve", "Start the server");
  CLI::App* keys = program.add_subcommand("keys", "API keys, in the data folder");
  CLI::App* task = program.add_subcommand("task", "Tasks, on a server");
  CLI::App* runs = program.add_subcommand("run", "Runs of tasks, on a server");
  CLI::App* doctor = program.add_subcommand("doctor", "Check what a server needs on this machine");
  ServeCommand serve_command(*serve);
  KeysCommand keys_command(*keys);
  TaskCommand task_command(*task);
  RunCommand run_command(*runs);
  DoctorCommand doctor_command(*doctor);

  try {
    program.parse(argc, argv);
    return after_printing(serve->parsed()  ? serve_command.run()
                          : keys->parsed() ? keys_command.run()
                          : task->parsed() ? task_command.run()
                          : runs->parsed() ? run_command.run()
                                           : doctor_command.run());
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? ExitCode::ok : ExitCode::usage;
  } catch (...) {
    return report(to_error(std::current_exception()));
  }
}

}  // namespace

int main(int argc, char** argv) { return static_cast<int>(run(argc, argv)); }
