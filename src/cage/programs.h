#pragma once

#include "io/file.h"

namespace capstan {

// The programs that run inside cages, as sealed files in memory: there is no path to them, nobody
// can change them, and they can be executed by their descriptor. Throw unavailable.
Fd make_launcher_file();
Fd make_escape_file();

}  // namespace capstan
