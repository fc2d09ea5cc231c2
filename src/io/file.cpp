#include "io/file.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

namespace capstan {
namespace {

Error file_error(const std::string& what, const std::filesystem::path& path) {
  return Error(ErrorCode::unavailable, what + " " + path.string() + ": " + std::strerror(errno));
}

}  // namespace

void Fd::reset() {
  if (fd_ >= 0) {
    ::close(fd_);
    fd_ = -1;
  }
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    if (std::error_code ignored; std::filesystem::is_regular_file(path, ignored) &&
                                 std::filesystem::file_size(path, ignored) == 0) {
      return {};
    }
    throw file_error("can't read", path);
  }
  return text.str();
}

void write_private_file(const std::filesystem::path& path, std::string_view text) {
  Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file || ::fchmod(file.get(), 0600) != 0) {
    throw file_error("can't create", path);
  }
  while (!text.empty()) {
    ssize_t count = ::write(file.get(), text.data(), text.size());
    if (count < 0) {
      throw file_error("can't write", path);
    }
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  if (::fsync(file.get()) != 0) {
    throw file_error("can't write", path);
  }
}

TemporaryFolder::TemporaryFolder(const std::filesystem::path& parent, std::string_view prefix) {
  std::string name = (parent / (std::string(prefix) + "XXXXXX")).string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw file_error("can't make a folder like", name);
  }
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  if (!path_.empty()) {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
}

}  // namespace capstan
