#include "app/keys_command.h"

#include <cstdio>
#include <cstdlib>

#include "access/teams.h"
#include "app/data_folder.h"

namespace capstan {

KeysCommand::KeysCommand(CLI::App& command, ConfigFlags& flags) : flags_(flags) {
  command.require_subcommand(1);
  create_ = command.add_subcommand("create", "Make a key, and print it this once");
  create_->add_option("--team", team_, "The team it is for; made if there is none of that name");
  create_->add_option("--name", name_, "What to call the key");
  list_ = command.add_subcommand("list", "List keys, without the keys themselves");
  revoke_ = command.add_subcommand("revoke", "Make a key invalid");
  revoke_->add_option("ID", id_, "The key's id, from `keys list`")->required();
  for (CLI::App* subcommand : {create_, list_, revoke_}) {
    subcommand->add_option("--data", flags.data, "Folder for everything that is kept");
    subcommand->add_option("--config", flags.config_file, "Configuration file (TOML)");
  }
}

Async<> KeysCommand::run() {
  Config config = read_config(flags_, [](const char* name) { return std::getenv(name); });
  DataFolder folder(config.data);
  Database database(folder.database());
  SystemClock clock;
  SystemRandom random;
  Teams teams(database, clock, random);
  if (create_->parsed()) {
    NewApiKey made = co_await teams.create_key(team_, name_);
    std::printf("%s\n", made.key.c_str());
  } else if (list_->parsed()) {
    for (const ApiKeyInfo& key : co_await teams.keys()) {
      std::printf("%s  %-20s %-20s %s%s\n", key.id.text().c_str(), key.team_name.c_str(),
                  key.name.c_str(), to_rfc3339(key.created_at).c_str(),
                  key.revoked_at ? "  revoked" : "");
    }
  } else {
    auto id = ApiKeyId::parse(id_);
    if (!id || !co_await teams.revoke_key(*id)) {
      throw Error(ErrorCode::not_found, "no valid key has the id " + id_);
    }
  }
}

}  // namespace capstan
