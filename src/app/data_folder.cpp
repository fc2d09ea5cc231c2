#include "app/data_folder.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/random.h"
#include "store/secret_keys.h"

namespace capstan {

DataFolder::DataFolder(const std::filesystem::path& path) : path_(std::filesystem::absolute(path)) {
  std::error_code error;
  std::filesystem::create_directories(path_.parent_path(), error);
  if (::mkdir(path_.c_str(), 0700) != 0 && errno != EEXIST) {
    throw Error(ErrorCode::invalid_argument,
                "can't make the data folder " + path_.string() + ": " + std::strerror(errno));
  }
  lock_ = Fd(::open((path_ / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock_) {
    throw Error(ErrorCode::invalid_argument,
                "can't use the data folder " + path_.string() + ": " + std::strerror(errno));
  }
  // Not flock(2), which children share until they have become another program: of a server that was
  // killed they may do so after its successor has started.
  struct flock whole{.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0, .l_pid = 0};
  if (::fcntl(lock_.get(), F_SETLK, &whole) != 0) {
    throw Error(ErrorCode::conflict,
                "the data folder " + path_.string() + " is in use by a running server");
  }
  // Whoever wrote it has died: nobody else holds the lock.
  std::filesystem::remove(operator_file(), error);
  if (!std::filesystem::exists(database()) && !std::filesystem::exists(secret_key())) {
    make_secret_key();
  }
}

// Never half of it, whatever happens meanwhile.
void DataFolder::make_secret_key() {
  SystemRandom random;
  std::filesystem::path draft = secret_key().string() + ".new";
  write_private_file(draft, make_secret_key_line(random));
  std::filesystem::rename(draft, secret_key());
}

}  // namespace capstan
