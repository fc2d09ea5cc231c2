#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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
  // How long its files are, in bytes; 0 for one that isn't there.
  struct Sizes {
    std::uint64_t part = 0;
    std::uint64_t video = 0;
  };
  Sizes sizes(const RecordingId& id) const;
  std::uint64_t free_bytes() const;
  void remove(const RecordingId& id) const;
  // Puts it in the place of the one of before, as a whole. Throws unavailable.
  void write_timeline(const RecordingId& id, std::string_view text) const;

  // Whose videos and timelines there are; some more than once. Throws unavailable.
  std::vector<RecordingId> owners() const;
  // Removes the parts of all but the `unfinished`, and what belongs to none of the `known`, who are
  // all. Files that are not called like ours stay. Gives how many.
  std::size_t remove_strays(const std::vector<RecordingId>& known,
                            const std::vector<RecordingId>& unfinished) const;

  // Nothing if there is no such file, or something else under its name.
  static std::optional<OpenFile> open(const std::filesystem::path& file);

 private:
  std::filesystem::path path_;
};

}  // namespace capstan
