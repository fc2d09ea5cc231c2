#pragma once

#include <string>
#include <vector>

#include "cage/child.h"
#include "cage/order.h"
#include "task/run_log.h"

namespace capstan {

// Which of its bounds a failed run has met, in words that name the bound and its setting, to be
// put behind the error; empty if none. The kernel tells of some (`met`), the error's own text of
// others, and V8 of its heap by its last words, in the log. A task may forge the latter two, and
// fools nobody but its author.
std::string limit_notes(const LimitsMet& met, const CageLimits& limits, std::string_view error,
                        const std::vector<LogLine>& log);

// What keeps a task's own code from the network, behind an error that comes of it; else empty.
// `has_network` says whether it has any.
std::string network_note(std::string_view error, bool has_network);

// How much of a run's memory JavaScript's objects may take, in MiB: half of it. Buffers and
// WebAssembly come on top.
std::uint64_t heap_mib(const CageLimits& limits);

}  // namespace capstan
