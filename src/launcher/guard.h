#pragma once

#include "launcher/instructions.h"

namespace capstan {

// A cage without a pid namespace has no pid 1 that takes all along. So a process is left beside it,
// outside of its walls: it waits until the program has ended, or the server has, however that was,
// and then ends whatever is left of our process group. The program doesn't see it: wait() passes it
// over. Ends the process when it can't be done.
void leave_guard(const Instructions& instructions);

}  // namespace capstan
