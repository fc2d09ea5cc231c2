#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace capstan {

// An open file descriptor with one owner; closed on destruction.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    reset();
    fd_ = other.release();
    return *this;
  }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset();

 private:
  int fd_ = -1;
};

// Blocking calls, for small files at start-up and in tests. They throw `unavailable` with the
// system's reason.
std::string read_file(const std::filesystem::path& path);
// Creates or replaces the file, readable and writable by its owner alone, and on the disk when this
// returns.
void write_private_file(const std::filesystem::path& path, std::string_view text);

// A directory that is removed, with all that is in it, on destruction.
class TemporaryFolder {
 public:
  TemporaryFolder() = default;
  // Makes `parent`/`prefix`XXXXXX, mode 0700.
  TemporaryFolder(const std::filesystem::path& parent, std::string_view prefix);
  ~TemporaryFolder();
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }

  const std::filesystem::path& path() const { return path_; }
  // Gives up ownership: the folder stays.
  std::filesystem::path release() { return std::exchange(path_, {}); }

 private:
  std::filesystem::path path_;
};

}  // namespace capstan
