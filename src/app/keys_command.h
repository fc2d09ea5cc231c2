#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "app/config.h"
#include "io/async.h"

namespace capstan {

// `capstan keys create | list | revoke`: works on the data folder itself, while no server uses it.
class KeysCommand {
 public:
  // Adds its subcommands to `command`; what the user gave is known once that has been parsed.
  KeysCommand(CLI::App& command, ConfigFlags& flags);

  Async<> run();

 private:
  ConfigFlags& flags_;
  CLI::App* create_;
  CLI::App* list_;
  CLI::App* revoke_;
  std::string team_ = "default";
  std::string name_ = "unnamed";
  std::string id_;
};

}  // namespace capstan
