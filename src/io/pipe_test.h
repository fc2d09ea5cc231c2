#pragma once

#include <array>
#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "io/file.h"

namespace capstan {

// A pipe for a test that plays the other side itself.
struct Pipe {
  Fd read;
  Fd write;
};

inline Pipe make_pipe() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

// At most what a pipe holds, 64 KiB; it must not block.
inline void write_now(const Fd& fd, std::string_view bytes) {
  EXPECT_EQ(::write(fd.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
}

}  // namespace capstan
