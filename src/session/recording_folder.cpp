#include "session/recording_folder.h"

#include <fcntl.h>
#include <set>
#include <sys/stat.h>

#include "base/log.h"

namespace capstan {
namespace {

constexpr std::string_view video_suffix = ".mp4";
constexpr std::string_view part_suffix = ".part.mp4";
constexpr std::string_view timeline_suffix = ".json";
constexpr std::string_view timeline_part_suffix = ".part.json";

std::filesystem::path name_of(const RecordingId& id, std::string_view suffix) {
  return id.text() + std::string(suffix);
}

// Of a file's name the id in front of the suffix; nothing if it has another one.
std::optional<RecordingId> id_in_name(const std::string& name, std::string_view suffix) {
  if (!name.ends_with(suffix)) {
    return std::nullopt;
  }
  std::string_view stem = std::string_view(name).substr(0, name.size() - suffix.size());
  auto id = RecordingId::parse(stem);
  return id && id->text() == stem ? id : std::nullopt;
}

// Of the files that are there for good.
std::optional<RecordingId> owner_of(const std::string& name) {
  auto id = id_in_name(name, video_suffix);
  return id ? id : id_in_name(name, timeline_suffix);
}

// A file that isn't there is removed.
void remove_file(const std::filesystem::path& file) {
  std::error_code error;
  std::filesystem::remove(file, error);
  if (error) {
    log_error("recording_file_kept", {{"path", file.string()}, {"cause", error.message()}});
  }
}

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  while (!error && entry != std::filesystem::directory_iterator()) {
    names.push_back(entry->path().filename().string());
    entry.increment(error);
  }
  if (error) {
    throw Error(ErrorCode::unavailable, "can't read " + folder.string() + ": " + error.message());
  }
  return names;
}

// 0 also if it isn't there.
std::uint64_t bytes_of(const std::filesystem::path& file) {
  std::error_code error;
  std::uintmax_t bytes = std::filesystem::file_size(file, error);
  return error ? 0 : bytes;
}

}  // namespace

std::filesystem::path RecordingFolder::video(const RecordingId& id) const {
  return path_ / name_of(id, video_suffix);
}

std::filesystem::path RecordingFolder::part(const RecordingId& id) const {
  return path_ / name_of(id, part_suffix);
}

std::filesystem::path RecordingFolder::timeline(const RecordingId& id) const {
  return path_ / name_of(id, timeline_suffix);
}

void RecordingFolder::make() const {
  std::error_code error;
  if (::mkdir(path_.c_str(), 0700) != 0 && !std::filesystem::is_directory(path_, error)) {
    throw Error(ErrorCode::invalid_argument, "can't make the folder " + path_.string());
  }
}

RecordingFolder::Sizes RecordingFolder::sizes(const RecordingId& id) const {
  return {.part = bytes_of(part(id)), .video = bytes_of(video(id))};
}

std::uint64_t RecordingFolder::free_bytes() const {
  std::error_code error;
  std::filesystem::space_info space = std::filesystem::space(path_, error);
  return error ? 0 : space.available;
}

void RecordingFolder::remove(const RecordingId& id) const {
  for (const auto& file :
       {video(id), part(id), timeline(id), path_ / name_of(id, timeline_part_suffix)}) {
    remove_file(file);
  }
}

void RecordingFolder::write_timeline(const RecordingId& id, std::string_view text) const {
  std::filesystem::path part = path_ / name_of(id, timeline_part_suffix);
  std::error_code failure;
  write_private_file(part, text);
  std::filesystem::rename(part, timeline(id), failure);
  if (failure) {
    throw Error(ErrorCode::unavailable, "can't keep a timeline", failure.message());
  }
}

std::vector<RecordingId> RecordingFolder::owners() const {
  std::vector<RecordingId> ids;
  for (const std::string& name : names_in(path_)) {
    if (auto id = owner_of(name)) {
      ids.push_back(std::move(*id));
    }
  }
  return ids;
}

std::size_t RecordingFolder::remove_strays(const std::vector<RecordingId>& known,
                                           const std::vector<RecordingId>& unfinished) const {
  const std::set<RecordingId> owners(known.begin(), known.end());
  const std::set<RecordingId> still_made(unfinished.begin(), unfinished.end());
  std::size_t count = 0;
  for (const std::string& name : names_in(path_)) {
    auto owner = owner_of(name);
    auto maker = id_in_name(name, part_suffix);
    bool is_stray = owner   ? !owners.contains(*owner)
                    : maker ? !still_made.contains(*maker)
                            : id_in_name(name, timeline_part_suffix).has_value();
    if (is_stray) {
      remove_file(path_ / name);
      ++count;
    }
  }
  return count;
}

std::optional<OpenFile> RecordingFolder::open(const std::filesystem::path& file) {
  auto fd = std::make_shared<const Fd>(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat status{};
  if (!*fd || ::fstat(fd->get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return std::nullopt;
  }
  return OpenFile{.file = std::move(fd),
                  .bytes = static_cast<std::uint64_t>(status.st_size),
                  .version = std::to_string(status.st_size) + "-" +
                             std::to_string(status.st_mtim.tv_sec) + "-" +
                             std::to_string(status.st_mtim.tv_nsec)};
}

}  // namespace capstan
