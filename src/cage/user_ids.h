#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "io/file.h"

namespace capstan {

// User ids for cages, one for each, which nobody else on the machine has: neither another cage nor
// another server. They are above what systems hand out to people. Only a server that runs as root
// can make use of them. Owned by Cage.
class UserIds {
 public:
  bool can_give() const;
  // One that is free; nothing when we are not root. Throws unavailable when all are taken.
  std::optional<std::uint32_t> take();
  void give_back(std::uint32_t user) { taken_.erase(user); }

  // Those of ours that have processes though no cage of ours does: what a dead server left.
  std::vector<std::uint32_t> left_over() const;

 private:
  bool lease_block();

  // Each block of ids belongs to whoever is bound to the abstract socket of its number.
  struct Block {
    std::uint32_t first;
    Fd lock;
  };
  std::vector<Block> blocks_;
  std::uint32_t next_block_ = 0;
  std::uint32_t next_ = 0;
  std::set<std::uint32_t> taken_;
};

}  // namespace capstan
