#pragma once

#include <span>
#include <string>
#include <string_view>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "io/async.h"
#include "io/file.h"

namespace capstan {

// One end of a pipe or socket to a child process, as a stream of bytes. Not for regular files.
class Stream {
 public:
  Stream(const Executor& executor, Fd fd);

  // Reads what is there, at least one byte; 0 at the end, a reset peer included.
  Async<std::size_t> read_some(std::span<char> buffer);
  // Reads until the end. Throws resource_exhausted for more than `bytes_max`.
  Async<std::string> read_to_end(std::size_t bytes_max);
  // Whatever can be read without waiting; 0 when there is nothing, or no more.
  std::size_t read_now(std::span<char> buffer);
  // Writes all of it. The bytes must stay alive until then. Throws unavailable when the other
  // side has gone.
  Async<> write(std::string_view bytes);
  // Writes all of it at once, on a socket, together with a descriptor if one is given. Throws
  // unavailable if the other side has gone, or has left no room; then the stream is of no use any
  // more.
  void write_now(std::string_view bytes, const Fd* passed = nullptr);
  void close();

 private:
  asio::posix::stream_descriptor descriptor_;
};

}  // namespace capstan
