#include "io/folder_removal.h"

#include <cerrno>
#include <cstdint>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"

namespace capstan {
namespace {

std::error_code last_error() { return {errno, std::system_category()}; }

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// Opens a folder, to its owner again if it was closed to them.
Fd open_folder(int parent, const char* name) {
  // The name could come to stand for something else; what was opened stays what it is.
  Fd place(::openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (place) {
    std::string itself = "/proc/self/fd/" + std::to_string(place.get());
    ::chmod(itself.c_str(), 0700);
    return Fd(::open(itself.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  return place;
}

bool is_dots(std::string_view name) { return name == "." || name == ".."; }

// Removes what is in `top`. Folders that are in folders are moved up to the top, so that their
// depth doesn't matter, and names are never collected, so that their number doesn't.
class Removal {
 public:
  explicit Removal(int top) : top_(top) {}

  // Returns what the system said last of something that stays.
  std::error_code remove_all() {
    // Somebody who lives on could put in as much as we take out.
    constexpr int passes_max = 100'000;
    for (int pass = 0; pass < passes_max && empty(top_); ++pass) {
    }
    return error_;
  }

 private:
  // Takes out what it can; false if that was nothing.
  bool empty(int folder) {
    Fd copy(::fcntl(folder, F_DUPFD_CLOEXEC, 3));
    std::unique_ptr<DIR, CloseDirectory> directory(copy ? ::fdopendir(copy.get()) : nullptr);
    if (!directory) {
      error_ = last_error();
      return false;
    }
    copy.release();
    ::rewinddir(directory.get());
    bool has_taken = false;
    while (dirent* entry = ::readdir(directory.get())) {
      if (!is_dots(entry->d_name) && take(folder, entry->d_name)) {
        has_taken = true;
      }
    }
    return has_taken;
  }

  bool take(int parent, const char* name) {
    if (::unlinkat(parent, name, 0) == 0 || ::unlinkat(parent, name, AT_REMOVEDIR) == 0) {
      return true;
    }
    error_ = last_error();
    Fd folder = open_folder(parent, name);  // only what its owner may write to can be moved
    if (!folder) {
      return false;
    }
    if (parent != top_) {
      return move_up(parent, name);
    }
    bool has_taken = empty(folder.get());
    return ::unlinkat(parent, name, AT_REMOVEDIR) == 0 || has_taken;
  }

  bool move_up(int parent, const char* name) {
    std::string new_name;
    do {
      new_name = "removed-" + std::to_string(next_++);
    } while (::faccessat(top_, new_name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0);
    return ::renameat(parent, name, top_, new_name.c_str()) == 0;
  }

  const int top_;
  std::uint64_t next_ = 0;
  std::error_code error_;
};

}  // namespace

std::error_code remove_folder(const std::filesystem::path& folder) {
  Fd top = open_folder(AT_FDCWD, folder.c_str());
  if (!top) {
    return errno == ENOENT ? std::error_code() : last_error();
  }
  std::error_code error = Removal(top.get()).remove_all();
  if (::rmdir(folder.c_str()) == 0 || errno == ENOENT) {
    return {};
  }
  return error ? error : last_error();
}

}  // namespace capstan
