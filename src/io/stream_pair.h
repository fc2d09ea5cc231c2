#pragma once

#include "io/file.h"

namespace capstan {

// Both ends of what will join us to a child process: ours becomes a Stream, theirs goes into the
// child's order. Making one throws unavailable when there are no descriptors left.
struct StreamPair {
  Fd ours;
  Fd theirs;
};

// A pipe from the child to us.
StreamPair make_output_pipe();
// A pipe from us to the child.
StreamPair make_input_pipe();
// A socket for both ways.
StreamPair make_socket_pair();

}  // namespace capstan
