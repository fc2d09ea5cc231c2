#pragma once

#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "app/config.h"

namespace capstan {

// --data and --config, of commands that look at a server's settings.
void add_config_flags(CLI::App& command, ConfigFlags& flags);

// What commands that talk to a server take.
struct ClientFlags {
  std::optional<std::string> url;
  std::optional<std::string> api_key;
  bool json = false;  // print what the API answers, instead of a table
};

// --url, --api-key and --json.
void add_client_flags(CLI::App& command, ClientFlags& flags);

struct ServerAddress {
  std::string url;
  std::string api_key;
};

// A flag, else CAPSTAN_URL and CAPSTAN_API_KEY, else the SDK's ANCHORBROWSER_BASE_URL and
// ANCHORBROWSER_API_KEY, else the server's own default. An empty variable counts as none. Throws
// unauthenticated when there is no key.
ServerAddress server_address(const ClientFlags& flags, const Environment& environment);

}  // namespace capstan
