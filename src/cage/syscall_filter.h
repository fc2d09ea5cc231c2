#pragma once

#include "cage/level.h"
#include "cage/order.h"

namespace capstan {

// The system calls that a caged program is refused, as a seccomp program in a file in memory: what
// administers a machine, looks into other processes, or has been a way into the kernel, and that
// neither Node nor Chromium needs. A task is refused namespaces as well; a browser isn't, because
// its own sandbox is made of them. Below strict, where the cage has no namespaces, everything but
// TCP is refused too, which Landlock then holds, and so is what Landlock leaves open: System V IPC
// and leaving the process group; to tasks also socket files, listening, and, where the cage has no
// user of its own, changing a file's attributes. Throws unavailable.
Fd make_syscall_filter(CageKind kind, IsolationLevel level, bool has_own_user);

}  // namespace capstan
