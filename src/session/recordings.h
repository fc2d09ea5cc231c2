#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/clock.h"
#include "io/event.h"
#include "io/scope.h"
#include "io/workers.h"
#include "session/recording_folder.h"

namespace capstan {

struct RecordingSettings {
  std::chrono::days kept_max{30};                     // from their end on
  std::uint64_t bytes_max = std::uint64_t{10} << 30;  // all together
};

// A file of a recording. It can be read to its end also if it is deleted meanwhile.
struct RecordingFile {
  RecordingRow row;
  OpenFile open;
};

// The recordings of all sessions on the disk, running and ended: their rows, their files, and how
// long both are kept. Owned by App, started before the sessions and closed after them. Who records
// inserts and updates rows through table(), and writes the files of folder():
//
//   FOLDER/ID.part.mp4   while it is written; what a dead server has left of it is played as far as
//                        it goes, so it is written in a way that allows that (fragmented MP4)
//   FOLDER/ID.mp4        the whole, once it doesn't change any more
//   FOLDER/ID.json       its timeline, if it has one
//
// A recording is called by its id, or "primary" for the session's primary one. What is another
// team's is answered like what never was.
class Recordings {
 public:
  // Makes the folder if it isn't there. Throws invalid_argument if it can't be used.
  Recordings(Executor executor, Clock& clock, Database& database, Workers& workers,
             std::filesystem::path folder, RecordingSettings settings);

  // Removes files that belong to no recording, and from now on sweeps, at once and then every 10
  // minutes. Nothing is recorded before.
  Async<> start();

  RecordingTable& table() { return table_; }
  const RecordingFolder& folder() const { return folder_; }

  // Oldest first.
  Async<std::vector<RecordingRow>> list(TeamId team, SessionId session);
  // Throws not_found.
  Async<RecordingRow> find(TeamId team, SessionId session, std::string which);
  // One that has ended, and did not fail. Waits for one that is finalizing, for up to 10 s. Throws
  // not_found, saying why it failed if it did, and conflict for one that has not ended.
  Async<RecordingRow> find_ended(TeamId team, SessionId session, std::string which);
  // What find_ended() finds; throws not_found also if the file isn't there.
  Async<RecordingFile> open_video(TeamId team, SessionId session, std::string which);
  Async<RecordingFile> open_timeline(TeamId team, SessionId session, std::string which);

  // Deletes row and files. Throws not_found, and conflict for one that has not ended.
  Async<> remove(TeamId team, SessionId session, std::string which);
  // Deletes what has been kept for too long, and then, oldest first, what is too much.
  Async<> sweep();

  // Waits for a sweep that is under way. Nobody uses the recordings after this.
  Async<> close();

 private:
  Async<> sweep_now_and_then();
  Async<> discard(RecordingRow row);
  Async<> remove_strays();
  Async<RecordingFile> open(RecordingRow row, std::filesystem::path path, std::string_view what);

  Clock& clock_;
  Workers& workers_;
  const RecordingFolder folder_;
  const RecordingSettings settings_;
  RecordingTable table_;
  Event closing_;
  Scope scope_;
};

}  // namespace capstan
