#pragma once

#include <unistd.h>

#include <gtest/gtest.h>

#include "io/stream_pair.h"

namespace capstan {

// A pipe for a test that plays the other side itself.
struct Pipe {
  Fd read;
  Fd write;
};

inline Pipe make_pipe() {
  auto [ours, theirs] = make_output_pipe();
  return {std::move(ours), std::move(theirs)};
}

// At most what a pipe holds, 64 KiB; it must not block.
inline void write_now(const Fd& fd, std::string_view bytes) {
  EXPECT_EQ(::write(fd.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
}

}  // namespace capstan
