#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "access/caller.h"
#include "base/random.h"
#include "io/clock.h"
#include "store/database.h"

namespace capstan {

struct ApiKeyInfo {
  ApiKeyId id;
  std::string team_name;
  std::string name;
  WallTime created_at;
  std::optional<WallTime> revoked_at;
};

struct NewApiKey {
  ApiKeyId id;
  std::string key;  // shown once, never stored
};

// Teams and their API keys. A key is 256 random bits; only its hash is kept, so that neither a
// copy of the database nor a log gives one away. Owned by App.
class Teams {
 public:
  Teams(Database& database, Clock& clock, Random& random);

  // The team of the key; nothing for an unknown or revoked one.
  Async<std::optional<TeamId>> team_of(std::string key);

  // Makes a key, and its team if there is none of that name. Throws invalid_argument for a name
  // that is empty, longer than 100 bytes, or can't be shown in one line.
  Async<NewApiKey> create_key(std::string team_name, std::string key_name);
  Async<std::vector<ApiKeyInfo>> keys();
  // False when there is no such key, or it was revoked before.
  Async<bool> revoke_key(ApiKeyId id);
  // Makes the team `default` and its first key, unless that was done before. The key is handed to
  // `keep` before it is valid, so that no key is ever valid that nobody knows.
  Async<std::optional<NewApiKey>> create_first_key(std::function<void(const std::string&)> keep);

 private:
  NewApiKey make_key();
  Async<> insert_key(std::string team_name, std::string key_name, NewApiKey key);

  Database& database_;
  Clock& clock_;
  Random& random_;
};

}  // namespace capstan
