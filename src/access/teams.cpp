#include "access/teams.h"

#include <algorithm>

#include "base/secret.h"
#include "base/text.h"

namespace capstan {
namespace {

// Tells a Capstan key at sight, also to tools that search for leaked secrets.
constexpr std::string_view key_prefix = "capstan_";
constexpr std::size_t key_bytes = 32;
constexpr std::string_view first_key_name = "first key";
constexpr std::size_t name_bytes_max = 100;

// Names are shown in lists with a line each.
void check_name(std::string_view what, const std::string& name) {
  bool has_control =
      std::any_of(name.begin(), name.end(), [](char c) { return (c >= 0 && c < ' ') || c == 127; });
  if (name.empty() || name.size() > name_bytes_max || has_control || !is_utf8(name)) {
    throw Error(ErrorCode::invalid_argument,
                std::string(what) + " must have 1 to 100 bytes of text, in one line");
  }
}

TeamId find_or_add_team(Transaction& tx, const std::string& name, const TeamId& new_id,
                        WallTime now) {
  tx.execute("insert into teams (id, name, created_at) values ($1, $2, $3) on conflict do nothing",
             {new_id.text(), name, to_unix_ms(now)});
  return TeamId::trusted(tx.query_one("select id from teams where name = $1", {name})->text(0));
}

}  // namespace

Teams::Teams(Database& database, Clock& clock, Random& random)
    : database_(database), clock_(clock), random_(random) {}

Async<std::optional<TeamId>> Teams::team_of(std::string key) {
  // The lookup is by hash, so its duration tells nothing about the key itself.
  co_return co_await database_.read(
      [hash = sha256_hex(key)](Transaction& tx) -> std::optional<TeamId> {
        auto row = tx.query_one(
            "select team_id from api_keys where hash = $1 and revoked_at is null", {hash});
        return row ? std::optional(TeamId::trusted(row->text(0))) : std::nullopt;
      });
}

Async<NewApiKey> Teams::create_key(std::string team_name, std::string key_name) {
  check_name("the team's name", team_name);
  check_name("the key's name", key_name);
  NewApiKey made = make_key();
  co_await insert_key(std::move(team_name), std::move(key_name), made);
  co_return made;
}

NewApiKey Teams::make_key() {
  return {ApiKeyId::make(clock_.wall_now(), random_),
          std::string(key_prefix) + random_.hex(key_bytes)};
}

Async<> Teams::insert_key(std::string team_name, std::string key_name, NewApiKey key) {
  WallTime now = clock_.wall_now();
  TeamId team_id = TeamId::make(now, random_);
  co_await database_.write([=, id = key.id, hash = sha256_hex(key.key)](Transaction& tx) {
    TeamId team = find_or_add_team(tx, team_name, team_id, now);
    tx.execute(
        "insert into api_keys (id, team_id, name, hash, created_at) values ($1, $2, $3, $4, $5)",
        {id.text(), team.text(), key_name, hash, to_unix_ms(now)});
  });
}

Async<std::vector<ApiKeyInfo>> Teams::keys() {
  co_return co_await database_.read([](Transaction& tx) {
    std::vector<ApiKeyInfo> keys;
    for (const Row& row :
         tx.query("select k.id, t.name, k.name, k.created_at, k.revoked_at from api_keys k"
                  " join teams t on t.id = k.team_id order by k.created_at, k.id",
                  {})) {
      auto revoked = row.optional_integer(4);
      keys.push_back({ApiKeyId::trusted(row.text(0)), row.text(1), row.text(2),
                      from_unix_ms(row.integer(3)),
                      revoked ? std::optional(from_unix_ms(*revoked)) : std::nullopt});
    }
    return keys;
  });
}

Async<bool> Teams::revoke_key(ApiKeyId id) {
  std::int64_t now = to_unix_ms(clock_.wall_now());
  co_return co_await database_.write([id, now](Transaction& tx) {
    return tx.execute("update api_keys set revoked_at = $1 where id = $2 and revoked_at is null",
                      {now, id.text()}) == 1;
  });
}

Async<std::optional<NewApiKey>> Teams::create_first_key(
    std::function<void(const std::string&)> keep) {
  bool was_made = co_await database_.read([](Transaction& tx) {
    return tx.query_one("select count(*) from api_keys where name = $1",
                        {std::string(first_key_name)})
               ->integer(0) > 0;
  });
  if (was_made) {
    co_return std::nullopt;
  }
  NewApiKey made = make_key();
  keep(made.key);
  co_await insert_key("default", std::string(first_key_name), made);
  co_return made;
}

}  // namespace capstan
