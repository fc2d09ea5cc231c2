#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "access/caller.h"
#include "base/json.h"
#include "base/time.h"
#include "io/async.h"
#include "store/database.h"

namespace capstan {

using SessionId = Id<struct SessionTag>;

// How a session stands, or ended.
enum class SessionStatus { running, completed, idle_timeout, max_duration, crashed, stopped };

std::string_view to_text(SessionStatus status);

// What a session has used, as far as that is kept.
struct SessionAccounts {
  std::uint64_t proxy_bytes = 0;             // through its proxy, both ways
  std::vector<std::string> limits_met = {};  // the settings of limits that its browser has met

  friend bool operator==(const SessionAccounts&, const SessionAccounts&) = default;
};

struct SessionRow {
  SessionId id;
  TeamId team;
  std::string run;  // the run that opened it; empty if none
  SessionStatus status;
  json::object configuration;
  SessionAccounts accounts = {};  // known at the end
  WallTime created_at;
  std::optional<WallTime> ended_at;
};

// The rows of sessions, running and ended.
class SessionTable {
 public:
  explicit SessionTable(Database& database) : database_(database) {}

  Async<> insert(SessionRow row);
  Async<> end(SessionId id, SessionStatus status, SessionAccounts accounts, WallTime now);
  Async<std::optional<SessionRow>> find(TeamId team, SessionId id);
  // Ends as `stopped` what a server that died had left running.
  Async<> end_left_over(WallTime now);

 private:
  Database& database_;
};

}  // namespace capstan
