#include "io/folder_removal.h"

#include <cerrno>
#include <cstdint>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

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

std::vector<std::string> names_in(int folder) {
  std::vector<std::string> names;
  std::unique_ptr<DIR, CloseDirectory> directory(::fdopendir(::dup(folder)));
  ::rewinddir(directory.get());
  while (dirent* entry = directory ? ::readdir(directory.get()) : nullptr) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") {
      names.push_back(std::move(name));
    }
  }
  return names;
}

// Removes what is in `top`, a level at a time: folders that are in folders are moved up to the top
// before their turn comes, so that no more than two are ever open.
class Removal {
 public:
  explicit Removal(int top) : top_(top) {}

  std::error_code remove_all() {
    for (const std::string& name : names_in(top_)) {
      take(top_, name);
    }
    while (!waiting_.empty()) {
      std::string name = std::move(waiting_.back());
      waiting_.pop_back();
      if (Fd folder = open_folder(top_, name.c_str())) {
        for (const std::string& inner : names_in(folder.get())) {
          take(folder.get(), inner);
        }
      }
      note(::unlinkat(top_, name.c_str(), AT_REMOVEDIR));
    }
    return error_;
  }

 private:
  // Removes it, or puts it on the list if it is a folder that isn't empty.
  void take(int parent, const std::string& name) {
    if (::unlinkat(parent, name.c_str(), 0) == 0 ||
        ::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0) {
      return;
    }
    if (parent == top_) {
      waiting_.push_back(name);
      return;
    }
    open_folder(parent, name.c_str());  // only what its owner may write to can be moved
    std::string new_name;
    do {
      new_name = "removed-" + std::to_string(next_++);
    } while (::faccessat(top_, new_name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0);
    if (note(::renameat(parent, name.c_str(), top_, new_name.c_str()))) {
      waiting_.push_back(std::move(new_name));
    }
  }

  bool note(int result) {
    if (result != 0 && errno != ENOENT) {
      error_ = last_error();
    }
    return result == 0;
  }

  const int top_;
  std::vector<std::string> waiting_;  // names in the top folder
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
  if (::rmdir(folder.c_str()) != 0 && errno != ENOENT && !error) {
    error = last_error();
  }
  return error;
}

}  // namespace capstan
