#pragma once

#include "launcher/instructions.h"

namespace capstan {

// Gives this process, which has a mount namespace of its own, a file tree with nothing in it but
// the folders that the instructions name, system libraries, a few devices, /proc, and the scratch
// folders, which belong to `owner`. All else of the machine's files is gone. Ends the process when
// that can't be done.
void enter_file_tree(const Instructions& instructions, unsigned owner);

}  // namespace capstan
