#pragma once

#include "cage/level.h"
#include "cage/order.h"

namespace capstan {

// The system calls that a caged program is refused, as a seccomp program in a file in memory: what
// administers a machine, looks into other processes, or has been a way into the kernel, and that
// neither Node nor Chromium needs. A task is refused namespaces as well; a browser isn't, because
// its own sandbox is made of them. Where the cage has no network of its own (below strict), it is
// refused everything but TCP too, which Landlock then holds. Throws unavailable.
Fd make_syscall_filter(CageKind kind, IsolationLevel level);

}  // namespace capstan
