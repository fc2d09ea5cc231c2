#pragma once

#include "launcher/instructions.h"

namespace capstan {

// Opens the service's socket and hands a connection to it over. Returns the listening socket, or
// -1 if no service was ordered.
int open_service(const Instructions& instructions);

// Starts the service, which listens on the socket, as a child.
void start_service(const Instructions& instructions, int listener);

}  // namespace capstan
