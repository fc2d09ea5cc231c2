#include "io/work_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "io/folder_removal.h"

namespace capstan {
namespace {

constexpr std::string_view root_prefix = "capstan-";
// Chromium keeps a socket 54 bytes below its folder, and Linux takes 107 bytes for a socket's path.
constexpr std::size_t root_bytes_max = 42;

// The lock file of a server's folder, if nobody holds it.
Fd try_lock(const std::filesystem::path& root) {
  Fd lock(::open((root / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (lock && ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    lock.reset();
  }
  return lock;
}

bool is_ours(const std::filesystem::path& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
         status.st_uid == ::geteuid();
}

void warn_of_left(const std::filesystem::path& folder, const std::error_code& error) {
  log_warning("folder_left", {{"folder", folder.string()}, {"reason", error.message()}});
}

void remove_leftovers(const std::filesystem::path& parent) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(parent, ignored)) {
    if (!entry.path().filename().string().starts_with(root_prefix) || !is_ours(entry.path()) ||
        !std::filesystem::exists(entry.path() / "lock", ignored)) {
      continue;
    }
    if (Fd lock = try_lock(entry.path())) {
      if (std::error_code error = remove_folder(entry.path())) {
        warn_of_left(entry.path(), error);
      } else {
        log_info("leftovers_removed", {{"folder", entry.path().string()}});
      }
    }
  }
}

}  // namespace

WorkFolder::WorkFolder(const std::filesystem::path& parent, Workers& workers) : workers_(workers) {
  remove_leftovers(parent);
  TemporaryFolder root(parent, root_prefix);
  lock_ = try_lock(root.path());
  // Children may run as other users, who must be able to pass through, but not to look around.
  if (!lock_ || ::chmod(root.path().c_str(), 0711) != 0) {
    throw Error(ErrorCode::unavailable, "can't prepare " + root.path().string());
  }
  if (root.path().string().size() > root_bytes_max) {
    throw Error(ErrorCode::invalid_argument,
                parent.string() + " is too long a path for temporary folders: at most " +
                    std::to_string(root_bytes_max - root_prefix.size() - 7) +
                    " bytes; set server.temporary_folder");
  }
  root_ = root.release();
}

WorkFolder::~WorkFolder() {
  if (std::error_code error = remove_folder(root_)) {
    warn_of_left(root_, error);
  }
}

std::filesystem::path WorkFolder::make(std::string_view prefix) {
  return TemporaryFolder(root_, prefix).release();
}

std::filesystem::path WorkFolder::make_for_user(std::string_view prefix, std::uint32_t user) {
  TemporaryFolder folder(root_, prefix);
  if (::chown(folder.path().c_str(), user, user) != 0) {
    throw Error(ErrorCode::unavailable, "can't hand a folder to another user");
  }
  return folder.release();
}

Async<> WorkFolder::remove(std::filesystem::path folder) {
  co_await workers_.run([folder] {
    std::error_code error;
    for (int attempt = 0; attempt < 100; ++attempt) {
      error = remove_folder(folder);
      if (!error) {
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    warn_of_left(folder, error);
  });
}

}  // namespace capstan
