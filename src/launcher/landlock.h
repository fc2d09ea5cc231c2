#pragma once

#include "launcher/instructions.h"

namespace capstan {

// Rules for a process, and all it starts, that leave it the files of the instructions, TCP
// connections to `connect_to` (where that is not empty), and signals and abstract sockets among
// themselves, as far as the kernel's Landlock goes (files: Linux 5.13, TCP: 6.7, signals and
// sockets: 6.12). Ends the process when there is no Landlock, or it can't hold TCP though it
// should. The files are found as whoever calls this, who may reach more than the program.
int make_landlock_rules(const Instructions& instructions);
// From now on they hold for this process. Closes them.
void confine_with_landlock(int rules);

}  // namespace capstan
