#include "app/command_flags.h"

#include "base/error.h"

namespace capstan {
namespace {

std::string first_of_all(const std::optional<std::string>& flag, const Environment& environment,
                         std::initializer_list<const char*> variables) {
  if (flag) {
    return *flag;
  }
  for (const char* variable : variables) {
    const std::string* value = find_variable(environment, variable);
    if (value != nullptr && !value->empty()) {
      return *value;
    }
  }
  return {};
}

}  // namespace

void add_config_flags(CLI::App& command, ConfigFlags& flags) {
  command.add_option("--data", flags.data, "Folder for everything that is kept");
  command.add_option("--config", flags.config_file, "Configuration file (TOML)");
}

void add_client_flags(CLI::App& command, ClientFlags& flags) {
  command.add_option("--url", flags.url, "The server; else CAPSTAN_URL, else port 8700 here");
  command.add_option("--api-key", flags.api_key,
                     "Better CAPSTAN_API_KEY: others see the arguments of your processes");
  command.add_flag("--json", flags.json, "Print what the API answers");
}

ServerAddress server_address(const ClientFlags& flags, const Environment& environment) {
  ServerAddress address{
      .url = first_of_all(flags.url, environment, {"CAPSTAN_URL", "ANCHORBROWSER_BASE_URL"}),
      .api_key =
          first_of_all(flags.api_key, environment, {"CAPSTAN_API_KEY", "ANCHORBROWSER_API_KEY"})};
  if (address.url.empty()) {
    address.url = "http://" + Config().server.listen;
  }
  while (address.url.ends_with('/')) {
    address.url.pop_back();
  }
  if (address.api_key.empty()) {
    throw Error(ErrorCode::unauthenticated, "no API key is given; set CAPSTAN_API_KEY");
  }
  return address;
}

}  // namespace capstan
