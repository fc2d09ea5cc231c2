#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "session/session_table.h"

namespace capstan {

using RecordingId = Id<struct RecordingTag>;

// How a recording stands. It has ended in the last three, and never changes after that.
enum class RecordingState {
  recording,
  finalizing,  // nothing is recorded any more, and its file is made ready
  ready,
  partial,  // can be played, but is not all that there was
  failed,   // there is nothing to play
};

std::string_view to_text(RecordingState state);
bool has_ended(RecordingState state);

// What changes of a recording while it is made.
struct RecordingProgress {
  RecordingState state = RecordingState::recording;
  std::optional<WallTime> ended_at = {};  // with a state in which it has ended, and no other
  std::chrono::milliseconds duration{0};
  std::uint64_t bytes = 0;
  std::string note = {};  // why it is partial or failed, for who asks for it; empty otherwise

  friend bool operator==(const RecordingProgress&, const RecordingProgress&) = default;
};

struct RecordingRow {
  RecordingId id;
  SessionId session;
  TeamId team;
  bool is_primary = false;  // one of a session is
  WallTime created_at;
  std::int64_t width = 0;
  std::int64_t height = 0;
  RecordingProgress progress = {};
};

// The rows of recordings. Each row's file is named by its id; Recordings knows where.
class RecordingTable {
 public:
  explicit RecordingTable(Database& database) : database_(database) {}

  // The session's row is there already. Throws conflict for a second primary one of a session.
  Async<> insert(RecordingRow row);
  // Of a recording that has ended, or is gone, nothing changes.
  Async<> update(RecordingId id, RecordingProgress progress);

  // For callers, to whom a recording is finalizing as soon as its session has ended. Oldest first.
  Async<std::vector<RecordingRow>> list(TeamId team, SessionId session);
  Async<std::optional<RecordingRow>> find(TeamId team, SessionId session, RecordingId id);
  Async<std::optional<RecordingRow>> find_primary(TeamId team, SessionId session);
  // False if there is none, or none any more.
  Async<bool> remove(TeamId team, SessionId session, RecordingId id);

  // Those that have not ended: at the start of a server, what one that died has left.
  Async<std::vector<RecordingRow>> left_over();
  // Which of these have a row.
  Async<std::vector<RecordingId>> known_of(std::vector<RecordingId> ids);

  // Of all teams, running and ended.
  Async<std::uint64_t> total_bytes();
  // The first `count` of those that have ended and have bytes, in the order of their ends.
  Async<std::vector<RecordingRow>> oldest_ended(std::int64_t count);
  // The first `count` of those that ended before that time, in the same order.
  Async<std::vector<RecordingRow>> ended_before(WallTime time, std::int64_t count);

 private:
  Database& database_;
};

}  // namespace capstan
