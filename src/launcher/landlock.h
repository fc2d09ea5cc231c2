#pragma once

#include "launcher/instructions.h"

namespace capstan {

// Confines this process, and all it starts, to the files of the instructions, to TCP connections
// to `connect_to` (where that is not empty), and to signals and abstract sockets among themselves,
// as far as the kernel's Landlock goes (files: Linux 5.13, TCP: 6.7, signals and sockets: 6.12).
// Ends the process when there is no Landlock, or it can't hold TCP though it should.
void confine_with_landlock(const Instructions& instructions);

}  // namespace capstan
