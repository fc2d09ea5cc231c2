#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/file.h"
#include "session/recording_table.h"

namespace capstan {

// A file, open for reading.
struct OpenFile {
  std::shared_ptr<const Fd> file;
  std::uint64_t bytes = 0;
  // Other bytes under the same name have another one; digits and dashes.
  std::string version;
};

// The folder in which the files of recordings lie: what they are called, and what is done with
// them. A value, for worker threads to have a copy of, since all but the paths blocks. What can't
// be removed is told in the log, and tried again at the next start.
class RecordingFolder {
 public:
  explicit RecordingFolder(std::filesystem::path path) : path_(std::move(path)) {}

  std::filesystem::path video(const RecordingId& id) const;
  std::filesystem::path part(const RecordingId& id) const;
  std::filesystem::path timeline(const RecordingId& id) const;

  // Makes it, for its owner alone, if it isn't there. Throws invalid_argument if it can't be used.
  void make() const;
  // Puts what was written of a recording into its final place. Gives how long it is there; 0 if
  // there is nothing of use.
  std::uint64_t keep_part(const RecordingId& id) const;
  void remove(const RecordingId& id) const;

  // Whose videos and timelines there are; some more than once. Throws unavailable.
  std::vector<RecordingId> owners() const;
  // Removes parts, which belong to recordings that go on and so to none when a server starts, and
  // what belongs to none of `known`. Files that are not called like ours stay. Gives how many.
  std::size_t remove_strays(const std::vector<RecordingId>& known) const;

  // Nothing if there is no such file, or something else under its name.
  static std::optional<OpenFile> open(const std::filesystem::path& file);

 private:
  std::filesystem::path path_;
};

}  // namespace capstan
