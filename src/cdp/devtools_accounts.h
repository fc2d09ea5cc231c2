#pragma once

#include <cstddef>
#include <set>

#include "base/byte_budget.h"

namespace capstan {

class Party;

// What the messages of all browsers take up together. A browser whose message is arriving and has
// no room loses its life; for a message that waits for a client, the party that holds most has to
// go. They are apart, so that no client can cost a browser its life by being slow.
struct DevToolsAccounts {
  ByteBudget arriving{std::size_t{512} * 1024 * 1024};
  ByteBudget waiting{std::size_t{1024} * 1024 * 1024};
  std::set<Party*> parties = {};  // that live
};

}  // namespace capstan
