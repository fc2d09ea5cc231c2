#pragma once

#include <sys/types.h>

#include "cage/order.h"

namespace capstan {

struct Launched {
  pid_t pid;
  Fd pidfd;
};

// Starts the ordered process in a session and process group of its own. Blocks for about 0.1 ms,
// whatever the size of our own memory (vfork-like; fork took 40 ms at 1.5 GB). The child is
// killed when the calling *thread* ends, so call it from a thread that lives as long as the
// server. Throws unavailable with the system's reason.
Launched launch(ChildOrder order);

}  // namespace capstan
