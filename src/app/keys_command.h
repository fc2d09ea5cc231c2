#pragma once

#include <variant>

#include "app/command_flags.h"
#include "app/data_folder.h"
#include "app/exit_code.h"
#include "app/operator_file.h"
#include "base/json.h"
#include "io/async.h"

namespace capstan {

// `capstan keys create | list | revoke`: works on the data folder itself, or asks the server that
// has it, since no two processes may open the database at once.
class KeysCommand {
 public:
  // Adds its subcommands to `command`; what the user gave is known once that has been parsed.
  explicit KeysCommand(CLI::App& command);

  ExitCode run();

 private:
  // Both give what the server's API would answer in `data`.
  Async<json::value> work_on(DataFolder folder);
  json::value ask(const OperatorAccess& server);
  void show(const json::value& data) const;

  ConfigFlags flags_;
  CLI::App* create_;
  CLI::App* list_;
  CLI::App* revoke_;
  std::string team_ = "default";
  std::string name_ = "unnamed";
  std::string id_;
  bool json_ = false;
};

}  // namespace capstan
