#include "cage/user_ids.h"

#include <cstddef>
#include <filesystem>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"

namespace capstan {
namespace {

constexpr std::uint32_t first_user = 200'000;
constexpr std::uint32_t block_size = 256;
constexpr std::uint32_t block_count = 256;

// Nothing if somebody has it already.
Fd try_lock(std::uint32_t block) {
  std::string name = "capstan-users-" + std::to_string(block);
  Fd lock(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
  auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (lock && ::bind(lock.get(), reinterpret_cast<sockaddr*>(&address), length) != 0) {
    lock.reset();
  }
  return lock;
}

bool is_process(const std::string& name) {
  return name.find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace

bool UserIds::lease_block() {
  while (next_block_ < block_count) {
    std::uint32_t block = next_block_++;
    if (Fd lock = try_lock(block)) {
      blocks_.push_back({first_user + block * block_size, std::move(lock)});
      return true;
    }
  }
  return false;
}

bool UserIds::can_give() const { return ::geteuid() == 0; }

// Round and round, so that an id rests for as long as possible before it is used again.
std::optional<std::uint32_t> UserIds::take() {
  if (!can_give()) {
    return std::nullopt;
  }
  if (taken_.size() >= blocks_.size() * block_size && !lease_block()) {
    throw Error(ErrorCode::unavailable, "all user ids for cages are taken");
  }
  while (true) {
    std::uint32_t place = next_++ % static_cast<std::uint32_t>(blocks_.size() * block_size);
    std::uint32_t user = blocks_[place / block_size].first + place % block_size;
    if (taken_.insert(user).second) {
      return user;
    }
  }
}

std::vector<std::uint32_t> UserIds::left_over() const {
  std::set<std::uint32_t> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    struct stat status{};
    if (!is_process(entry.path().filename().string()) ||
        ::stat(entry.path().c_str(), &status) != 0 || taken_.contains(status.st_uid)) {
      continue;
    }
    for (const Block& block : blocks_) {
      if (status.st_uid >= block.first && status.st_uid < block.first + block_size) {
        found.insert(status.st_uid);
      }
    }
  }
  return {found.begin(), found.end()};
}

}  // namespace capstan
