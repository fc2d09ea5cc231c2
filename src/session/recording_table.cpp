#include "session/recording_table.h"

#include <array>

namespace capstan {
namespace {

constexpr std::array states = {RecordingState::recording, RecordingState::finalizing,
                               RecordingState::ready, RecordingState::partial,
                               RecordingState::failed};

RecordingState parse_state(const std::string& text) {
  for (RecordingState state : states) {
    if (text == to_text(state)) {
      return state;
    }
  }
  throw Error(ErrorCode::internal, "internal error", "a recording's row has the state " + text);
}

// In front of what a statement says of the rows that it wants.
std::string select_with(std::string_view state, std::string_view which) {
  return "select id, session_id, team_id, is_primary, created_at, width, height, " +
         std::string(state) + ", ended_at, duration_ms, bytes, note from recordings " +
         std::string(which);
}

std::string select(std::string_view which) { return select_with("state", which); }

// As those see it who ask for it: what was recorded of a session that has ended is about to be
// made ready, though the recorder may not have said so yet.
std::string select_for_callers(std::string_view which) {
  return select_with(
      "case when state = 'recording' and exists (select 1 from sessions where sessions.id ="
      " recordings.session_id and sessions.ended_at is not null) then 'finalizing' else state end",
      which);
}

RecordingRow to_recording(const Row& row) {
  auto ended = row.optional_integer(8);
  return {.id = RecordingId::trusted(row.text(0)),
          .session = SessionId::trusted(row.text(1)),
          .team = TeamId::trusted(row.text(2)),
          .is_primary = row.flag(3),
          .created_at = from_unix_ms(row.integer(4)),
          .width = row.integer(5),
          .height = row.integer(6),
          .progress = {.state = parse_state(row.text(7)),
                       .ended_at = ended ? std::optional(from_unix_ms(*ended)) : std::nullopt,
                       .duration = std::chrono::milliseconds(row.integer(9)),
                       .bytes = static_cast<std::uint64_t>(row.integer(10)),
                       .note = row.text(11)}};
}

std::vector<RecordingRow> to_recordings(const std::vector<Row>& rows) {
  std::vector<RecordingRow> recordings;
  recordings.reserve(rows.size());
  for (const Row& row : rows) {
    recordings.push_back(to_recording(row));
  }
  return recordings;
}

std::optional<RecordingRow> to_recording(const std::optional<Row>& row) {
  return row ? std::optional(to_recording(*row)) : std::nullopt;
}

Value to_value(std::optional<WallTime> time) {
  return time ? Value(to_unix_ms(*time)) : Value(nullptr);
}

}  // namespace

std::string_view to_text(RecordingState state) {
  switch (state) {
    case RecordingState::recording:
      return "recording";
    case RecordingState::finalizing:
      return "finalizing";
    case RecordingState::ready:
      return "ready";
    case RecordingState::partial:
      return "partial";
    case RecordingState::failed:
      return "failed";
  }
  return "failed";
}

bool has_ended(RecordingState state) {
  return state != RecordingState::recording && state != RecordingState::finalizing;
}

Async<> RecordingTable::insert(RecordingRow row) {
  co_await database_.write([row = std::move(row)](Transaction& tx) {
    const RecordingProgress& progress = row.progress;
    tx.execute(
        "insert into recordings (id, session_id, team_id, is_primary, created_at, width, height,"
        " state, ended_at, duration_ms, bytes, note)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        {row.id.text(), row.session.text(), row.team.text(),
         static_cast<std::int64_t>(row.is_primary), to_unix_ms(row.created_at), row.width,
         row.height, std::string(to_text(progress.state)), to_value(progress.ended_at),
         progress.duration.count(), static_cast<std::int64_t>(progress.bytes), progress.note});
  });
}

Async<> RecordingTable::update(RecordingId id, RecordingProgress progress) {
  co_await database_.write([id, progress = std::move(progress)](Transaction& tx) {
    tx.execute(
        "update recordings set state = $1, ended_at = $2, duration_ms = $3, bytes = $4, note = $5"
        " where id = $6 and state in ('recording', 'finalizing')",
        {std::string(to_text(progress.state)), to_value(progress.ended_at),
         progress.duration.count(), static_cast<std::int64_t>(progress.bytes), progress.note,
         id.text()});
  });
}

Async<std::vector<RecordingRow>> RecordingTable::list(TeamId team, SessionId session) {
  co_return co_await database_.read([=](Transaction& tx) {
    return to_recordings(tx.query(
        select_for_callers("where session_id = $1 and team_id = $2 order by created_at, id"),
        {session.text(), team.text()}));
  });
}

Async<std::optional<RecordingRow>> RecordingTable::find(TeamId team, SessionId session,
                                                        RecordingId id) {
  co_return co_await database_.read([=](Transaction& tx) {
    return to_recording(
        tx.query_one(select_for_callers("where id = $1 and session_id = $2 and team_id = $3"),
                     {id.text(), session.text(), team.text()}));
  });
}

Async<std::optional<RecordingRow>> RecordingTable::find_primary(TeamId team, SessionId session) {
  co_return co_await database_.read([=](Transaction& tx) {
    return to_recording(tx.query_one(
        select_for_callers("where session_id = $1 and team_id = $2 and is_primary = 1"),
        {session.text(), team.text()}));
  });
}

Async<bool> RecordingTable::remove(TeamId team, SessionId session, RecordingId id) {
  co_return co_await database_.write([=](Transaction& tx) {
    return tx.execute("delete from recordings where id = $1 and session_id = $2 and team_id = $3",
                      {id.text(), session.text(), team.text()}) > 0;
  });
}

Async<std::vector<RecordingRow>> RecordingTable::left_over() {
  co_return co_await database_.read([](Transaction& tx) {
    return to_recordings(
        tx.query(select("where state in ('recording', 'finalizing') order by created_at, id"), {}));
  });
}

Async<std::vector<RecordingId>> RecordingTable::known_of(std::vector<RecordingId> ids) {
  co_return co_await database_.read([ids = std::move(ids)](Transaction& tx) {
    std::vector<RecordingId> known;
    for (const RecordingId& id : ids) {
      if (tx.query_one("select 1 from recordings where id = $1", {id.text()})) {
        known.push_back(id);
      }
    }
    return known;
  });
}

Async<std::uint64_t> RecordingTable::total_bytes() {
  // PostgreSQL's sum of bigints is no bigint.
  co_return co_await database_.read([](Transaction& tx) {
    auto row = tx.query_one("select cast(coalesce(sum(bytes), 0) as bigint) from recordings", {});
    return static_cast<std::uint64_t>(row->integer(0));
  });
}

Async<std::vector<RecordingRow>> RecordingTable::oldest_ended(std::int64_t count) {
  co_return co_await database_.read([count](Transaction& tx) {
    return to_recordings(
        tx.query(select("where ended_at is not null and bytes > 0 order by ended_at, id limit $1"),
                 {count}));
  });
}

Async<std::vector<RecordingRow>> RecordingTable::ended_before(WallTime time, std::int64_t count) {
  co_return co_await database_.read([=](Transaction& tx) {
    return to_recordings(
        tx.query(select("where ended_at is not null and ended_at < $1 order by ended_at, id"
                        " limit $2"),
                 {to_unix_ms(time), count}));
  });
}

}  // namespace capstan
