#include "session/session_table.h"

#include <array>

namespace capstan {
namespace {

constexpr std::array statuses = {SessionStatus::running,      SessionStatus::completed,
                                 SessionStatus::idle_timeout, SessionStatus::max_duration,
                                 SessionStatus::crashed,      SessionStatus::stopped};

SessionStatus parse_status(const std::string& text) {
  for (SessionStatus status : statuses) {
    if (text == to_text(status)) {
      return status;
    }
  }
  throw Error(ErrorCode::internal, "internal error", "a session row has the status " + text);
}

}  // namespace

std::string_view to_text(SessionStatus status) {
  switch (status) {
    case SessionStatus::running:
      return "running";
    case SessionStatus::completed:
      return "completed";
    case SessionStatus::idle_timeout:
      return "idle_timeout";
    case SessionStatus::max_duration:
      return "max_duration";
    case SessionStatus::crashed:
      return "crashed";
    case SessionStatus::stopped:
      return "stopped";
  }
  return "stopped";
}

Async<> SessionTable::insert(SessionRow row) {
  co_await database_.write([row = std::move(row)](Transaction& tx) {
    tx.execute(
        "insert into sessions (id, team_id, run_id, status, configuration, created_at)"
        " values ($1, $2, $3, $4, $5, $6)",
        {row.id.text(), row.team.text(), row.run.empty() ? Value(nullptr) : Value(row.run),
         std::string(to_text(row.status)), json::serialize(row.configuration),
         to_unix_ms(row.created_at)});
  });
}

Async<> SessionTable::end(SessionId id, SessionStatus status, SessionAccounts accounts,
                          WallTime now) {
  co_await database_.write([=](Transaction& tx) {
    tx.execute(
        "update sessions set status = $1, proxy_bytes = $2, limits_met = $3, ended_at = $4"
        " where id = $5 and status = 'running'",
        {std::string(to_text(status)), static_cast<std::int64_t>(accounts.proxy_bytes),
         json::serialize(json::value_from(accounts.limits_met)), to_unix_ms(now), id.text()});
  });
}

Async<std::optional<SessionRow>> SessionTable::find(TeamId team, SessionId id) {
  co_return co_await database_.read([=](Transaction& tx) -> std::optional<SessionRow> {
    auto row = tx.query_one(
        "select coalesce(run_id, ''), status, configuration, created_at, ended_at, proxy_bytes,"
        " limits_met from sessions where team_id = $1 and id = $2",
        {team.text(), id.text()});
    if (!row) {
      return std::nullopt;
    }
    auto ended = row->optional_integer(4);
    return SessionRow{
        .id = id,
        .team = team,
        .run = row->text(0),
        .status = parse_status(row->text(1)),
        .configuration = parse_json(row->text(2), "a session's configuration").as_object(),
        .accounts = {.proxy_bytes = static_cast<std::uint64_t>(row->integer(5)),
                     .limits_met = json::value_to<std::vector<std::string>>(
                         parse_json(row->text(6), "the limits that a session met"))},
        .created_at = from_unix_ms(row->integer(3)),
        .ended_at = ended ? std::optional(from_unix_ms(*ended)) : std::nullopt,
    };
  });
}

Async<> SessionTable::end_left_over(WallTime now) {
  co_await database_.write([now](Transaction& tx) {
    tx.execute("update sessions set status = 'stopped', ended_at = $1 where status = 'running'",
               {to_unix_ms(now)});
  });
}

}  // namespace capstan
