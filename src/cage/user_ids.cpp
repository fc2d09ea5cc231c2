#include "cage/user_ids.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/error.h"

namespace capstan {
namespace {

constexpr const char* locks_folder = "/run/capstan/user-ids";
constexpr std::uint32_t first_user = 200'000;
constexpr std::uint32_t block_count = 256;

Error lease_error(const std::string& cause) {
  return Error(ErrorCode::unavailable, "no user ids for cages", cause);
}

Fd open_locks_folder() {
  std::error_code failure;
  std::filesystem::create_directories(locks_folder, failure);
  Fd folder(::open(locks_folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder || ::fchmodat(AT_FDCWD, locks_folder, 0700, 0) != 0) {
    throw lease_error(std::string(locks_folder) + ": " + std::strerror(errno));
  }
  return folder;
}

// Which start of this machine, or of this container, it is: a new one has no processes of an old
// one, even where /run has outlived that.
std::string this_start() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string boot;
  file >> boot;
  std::error_code failure;
  return boot + " " + std::filesystem::read_symlink("/proc/self/ns/pid", failure).string() + "\n";
}

// A block that has been used since then says so in its file.
bool is_marked(const Fd& lock) {
  std::string expected = this_start();
  std::string found(expected.size(), '\0');
  return ::pread(lock.get(), found.data(), found.size(), 0) ==
             static_cast<ssize_t>(expected.size()) &&
         found == expected;
}

void mark(const Fd& lock) {
  std::string text = this_start();
  if (::pwrite(lock.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    throw lease_error(std::string(locks_folder) + ": " + std::strerror(errno));
  }
}

bool is_process(const std::string& name) {
  return name.find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace

bool UserIds::can_give() const { return ::geteuid() == 0; }

std::size_t UserIds::size() const { return blocks_.size() * user_id_block_size; }

bool UserIds::has_free() const { return taken_.size() < size(); }

UserIdBlock UserIds::lease_block(std::uint32_t lowest) {
  Fd folder = open_locks_folder();
  for (std::uint32_t block = 0; block < block_count; ++block) {
    std::uint32_t first = first_user + block * user_id_block_size;
    if (first < lowest) {
      continue;
    }
    Fd lock(::openat(folder.get(), std::to_string(block).c_str(),
                     O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!lock) {
      throw lease_error(std::string(locks_folder) + ": " + std::strerror(errno));
    }
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) {
      return {first, is_marked(lock), std::move(lock)};
    }
  }
  throw lease_error("all are taken");
}

void UserIds::add(UserIdBlock block) {
  mark(block.lock);
  blocks_.push_back(std::move(block));
}

// Round and round, so that an id rests for as long as possible before it is used again.
std::uint32_t UserIds::take() {
  CHECK(has_free());
  while (true) {
    std::size_t place = next_++ % size();
    auto user = static_cast<std::uint32_t>(blocks_[place / user_id_block_size].first +
                                           place % user_id_block_size);
    if (taken_.insert(user).second) {
      return user;
    }
  }
}

std::vector<std::uint32_t> users_with_processes(std::uint32_t first) {
  std::set<std::uint32_t> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    struct stat status{};
    if (is_process(entry.path().filename().string()) &&
        ::stat(entry.path().c_str(), &status) == 0 && status.st_uid >= first &&
        status.st_uid < first + user_id_block_size) {
      found.insert(status.st_uid);
    }
  }
  return {found.begin(), found.end()};
}

}  // namespace capstan
