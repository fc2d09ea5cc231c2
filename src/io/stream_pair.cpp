#include "io/stream_pair.h"

#include <array>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

namespace capstan {
namespace {

Error no_descriptors() { return Error(ErrorCode::unavailable, "no descriptors left for a pipe"); }

}  // namespace

StreamPair make_output_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw no_descriptors();
  }
  return {.ours = Fd(ends[0]), .theirs = Fd(ends[1])};
}

StreamPair make_input_pipe() {
  auto [read, write] = make_output_pipe();
  return {.ours = std::move(write), .theirs = std::move(read)};
}

StreamPair make_socket_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw no_descriptors();
  }
  return {.ours = Fd(ends[0]), .theirs = Fd(ends[1])};
}

}  // namespace capstan
