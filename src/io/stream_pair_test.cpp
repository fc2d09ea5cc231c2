#include "io/stream_pair.h"

#include <array>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "io/outcome.h"

namespace capstan {
namespace {

// Whether a byte that is written to `from` comes out of `to`.
bool leads(const Fd& from, const Fd& to) {
  char byte = 0;
  return ::write(from.get(), "x", 1) == 1 && ::read(to.get(), &byte, 1) == 1 && byte == 'x';
}

bool is_inherited(const Fd& fd) { return (::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) == 0; }

}  // namespace

TEST(StreamPair, leads_the_way_that_its_name_says) {
  StreamPair output = make_output_pipe();
  EXPECT_TRUE(leads(output.theirs, output.ours));
  EXPECT_FALSE(leads(output.ours, output.theirs));
  StreamPair input = make_input_pipe();
  EXPECT_TRUE(leads(input.ours, input.theirs));
  EXPECT_FALSE(leads(input.theirs, input.ours));
  StreamPair both = make_socket_pair();
  EXPECT_TRUE(leads(both.ours, both.theirs));
  EXPECT_TRUE(leads(both.theirs, both.ours));
}

TEST(StreamPair, is_inherited_by_nobody_who_was_not_given_it) {
  for (auto make : {make_output_pipe, make_input_pipe, make_socket_pair}) {
    StreamPair pair = make();
    EXPECT_FALSE(is_inherited(pair.ours));
    EXPECT_FALSE(is_inherited(pair.theirs));
  }
}

TEST(StreamPair, is_unavailable_when_there_are_no_descriptors_left) {
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &old), 0);
  rlimit none{.rlim_cur = 0, .rlim_max = old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  std::array outcomes = {outcome_of_call(make_output_pipe), outcome_of_call(make_input_pipe),
                         outcome_of_call(make_socket_pair)};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &old), 0);
  for (const auto& outcome : outcomes) {
    EXPECT_EQ(outcome.ok() ? ErrorCode::internal : outcome.error().code(), ErrorCode::unavailable);
  }
}

}  // namespace capstan
