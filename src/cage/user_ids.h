#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "io/file.h"

namespace capstan {

// User ids that nobody has but whoever leased them: neither another cage nor another server.
struct UserIdBlock {
  std::uint32_t first = 0;
  // Processes under its ids belong to a server that has died, and else to strangers.
  bool was_used = false;
  Fd lock;
};

// User ids for cages, one for each, above what systems hand out to people. They come in blocks,
// which a server leases by locking the block's file in /run/capstan/user-ids, where nobody but root
// gets in and all servers of the machine meet. Only a server that runs as root can make use of
// them. Owned by Cage.
class UserIds {
 public:
  bool can_give() const;

  // Whether take() would find one; if not, another block has to be added.
  bool has_free() const;
  // The lowest block from the id `lowest` on that no other server has. Before it is added nothing
  // may run under its ids. Blocks for a moment. Throws unavailable.
  UserIdBlock lease_block(std::uint32_t lowest = 0);
  void add(UserIdBlock block);

  std::uint32_t take();
  void give_back(std::uint32_t user) { taken_.erase(user); }

 private:
  std::size_t size() const;

  std::vector<UserIdBlock> blocks_;
  std::uint32_t next_ = 0;
  std::set<std::uint32_t> taken_;
};

// Those of the block that begins with `first` that have processes. Blocks for some milliseconds.
std::vector<std::uint32_t> users_with_processes(std::uint32_t first);

inline constexpr std::uint32_t user_id_block_size = 256;

}  // namespace capstan
