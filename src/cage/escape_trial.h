#pragma once

#include <string>
#include <vector>

#include "cage/cage.h"

namespace capstan {

// Runs the escape program in a cage of this kind and level, against canaries that live for that
// long, and returns what got out, one sentence each; empty if the cage held. Throws unavailable
// when such a cage can't be made here. Takes about 0.2 s.
Async<std::vector<std::string>> try_to_escape(Executor executor, Cage* cage, CageKind kind,
                                              IsolationLevel level);

}  // namespace capstan
