#pragma once

#include "launcher/protocol.h"

namespace capstan {

// The status socket, once it is known.
void report_to(int status_socket);

void report(LauncherReport::Kind kind, int value);
// Tells of the step that failed with errno, and ends the process.
[[noreturn]] void fail(const char* step);
// The same, with a descriptor for the server.
void hand_over(LauncherReport::Kind kind, int descriptor);
// Ends the process if the server has gone.
void end_without_server();
// Waits for the server's word to begin; ends the process when the server has gone.
void wait_for_go();

}  // namespace capstan
