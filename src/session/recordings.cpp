#include "session/recordings.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "io/race.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view primary = "primary";
constexpr auto sweep_interval = 10min;
// Rows that a sweep looks at together.
constexpr std::int64_t sweep_rows = 100;
// A file is made ready within a second or two; a client waits for that rather than being sent away.
constexpr auto finalizing_wait_max = 10s;
constexpr auto finalizing_look_interval = 250ms;
constexpr auto finalizing_retry_after = 2s;
constexpr std::size_t shown_bytes_max = 100;

Error no_such_recording(const SessionId& session, std::string_view which) {
  if (which == primary) {
    return Error(ErrorCode::not_found, "session " + session.text() + " has no recording");
  }
  return Error(ErrorCode::not_found, "session " + session.text() + " has no recording " +
                                         std::string(clip_utf8(which, shown_bytes_max)));
}

Error not_ended(const RecordingRow& row) {
  if (row.progress.state == RecordingState::finalizing) {
    return Error(ErrorCode::conflict,
                 "recording " + row.id.text() + " is being made ready; try again soon")
        .retry_after(finalizing_retry_after);
  }
  return Error(ErrorCode::conflict,
               "recording " + row.id.text() + " is still going on; end the session first");
}

}  // namespace

Recordings::Recordings(Executor executor, Clock& clock, Database& database, Workers& workers,
                       std::filesystem::path folder, RecordingSettings settings)
    : clock_(clock),
      workers_(workers),
      folder_(std::move(folder)),
      settings_(settings),
      table_(database),
      closing_(executor),
      scope_(executor, "recordings") {
  folder_.make();
}

Async<> Recordings::start() {
  co_await remove_strays();
  scope_.spawn(sweep_now_and_then());
}

Async<> Recordings::remove_strays() {
  auto owners = co_await workers_.run([folder = folder_] { return folder.owners(); });
  auto known = co_await table_.known_of(std::move(owners));
  std::vector<RecordingId> unfinished;
  for (const RecordingRow& row : co_await table_.left_over()) {
    unfinished.push_back(row.id);
  }
  std::size_t count = co_await workers_.run(
      [folder = folder_, known = std::move(known), unfinished = std::move(unfinished)] {
        return folder.remove_strays(known, unfinished);
      });
  if (count > 0) {
    log_info("recording_strays_removed", {{"files", count}});
  }
}

Async<std::vector<RecordingRow>> Recordings::list(TeamId team, SessionId session) {
  return table_.list(std::move(team), std::move(session));
}

Async<RecordingRow> Recordings::find(TeamId team, SessionId session, std::string which) {
  std::optional<RecordingRow> row;
  if (which == primary) {
    row = co_await table_.find_primary(std::move(team), session);
  } else if (auto id = RecordingId::parse(which)) {
    row = co_await table_.find(std::move(team), session, std::move(*id));
  }
  if (!row) {
    throw no_such_recording(session, which);
  }
  co_return std::move(*row);
}

Async<RecordingRow> Recordings::find_ended(TeamId team, SessionId session, std::string which) {
  const SteadyTime give_up = clock_.now() + finalizing_wait_max;
  RecordingRow row = co_await find(team, session, which);
  while (row.progress.state == RecordingState::finalizing && clock_.now() < give_up) {
    co_await clock_.sleep(finalizing_look_interval);
    row = co_await find(team, session, which);
  }
  if (!has_ended(row.progress.state)) {
    throw not_ended(row);
  }
  if (row.progress.state == RecordingState::failed) {
    throw Error(ErrorCode::not_found,
                "recording " + row.id.text() + " failed: " + row.progress.note);
  }
  co_return row;
}

Async<RecordingFile> Recordings::open_video(TeamId team, SessionId session, std::string which) {
  RecordingRow row = co_await find_ended(std::move(team), std::move(session), std::move(which));
  std::filesystem::path path = folder_.video(row.id);
  co_return co_await open(std::move(row), std::move(path), "file");
}

Async<RecordingFile> Recordings::open_timeline(TeamId team, SessionId session, std::string which) {
  RecordingRow row = co_await find_ended(std::move(team), std::move(session), std::move(which));
  std::filesystem::path path = folder_.timeline(row.id);
  co_return co_await open(std::move(row), std::move(path), "timeline");
}

Async<RecordingFile> Recordings::open(RecordingRow row, std::filesystem::path path,
                                      std::string_view what) {
  auto open =
      co_await workers_.run([path = std::move(path)] { return RecordingFolder::open(path); });
  if (!open) {
    throw Error(ErrorCode::not_found,
                "recording " + row.id.text() + " has no " + std::string(what));
  }
  co_return RecordingFile{.row = std::move(row), .open = std::move(*open)};
}

Async<> Recordings::remove(TeamId team, SessionId session, std::string which) {
  RecordingRow row = co_await find(std::move(team), std::move(session), std::move(which));
  if (!has_ended(row.progress.state)) {
    throw not_ended(row);
  }
  co_await discard(std::move(row));
}

// The row first: a file without one is removed at the next start, but a row without its file would
// promise what isn't there. On a full disk it is the file that makes the room for this.
Async<> Recordings::discard(RecordingRow row) {
  auto removed = co_await outcome_of(table_.remove(row.team, row.session, row.id));
  if (!removed.ok() && removed.error().code() == ErrorCode::cancelled) {
    throw Error(removed.error());
  }
  co_await workers_.run([folder = folder_, id = row.id] { folder.remove(id); });
  if (!removed.ok()) {
    co_await table_.remove(row.team, row.session, row.id);
  }
}

Async<> Recordings::sweep() {
  const WallTime kept_from = clock_.wall_now() - settings_.kept_max;
  std::size_t removed = 0;
  auto old = co_await table_.ended_before(kept_from, sweep_rows);
  while (!old.empty() && !closing_.is_set()) {
    for (RecordingRow& row : old) {
      co_await discard(std::move(row));
      ++removed;
    }
    old = co_await table_.ended_before(kept_from, sweep_rows);
  }
  std::uint64_t total = co_await table_.total_bytes();
  while (total > settings_.bytes_max && !closing_.is_set()) {
    auto oldest = co_await table_.oldest_ended(sweep_rows);
    if (oldest.empty()) {
      break;  // those that are still going on are too much by themselves
    }
    for (auto row = oldest.begin(); row != oldest.end() && total > settings_.bytes_max; ++row) {
      total -= std::min(total, row->progress.bytes);
      co_await discard(std::move(*row));
      ++removed;
    }
  }
  if (removed > 0) {
    log_info("recordings_removed", {{"count", removed}});
  }
}

// One that fails is tried again at the next time.
Async<> Recordings::sweep_now_and_then() {
  while (!closing_.is_set()) {
    auto swept = co_await outcome_of(sweep());
    if (!swept.ok()) {
      log_error("recordings_not_swept",
                {{"message", swept.error().message()}, {"cause", swept.error().cause()}});
    }
    co_await sleep_or_until(&clock_, sweep_interval, &closing_);
  }
}

Async<> Recordings::close() {
  closing_.set();
  co_await scope_.drain();
}

}  // namespace capstan
