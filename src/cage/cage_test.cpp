#include "cage/cage.h"

#include <fcntl.h>
#include <unistd.h>

#include "io/loop_test.h"
#include "io/race.h"
#include "io/stream.h"
#include "io/stream_pair.h"

namespace capstan {

using namespace std::chrono_literals;

class CageTest : public LoopTest {
 public:
  // Runs a shell script in a cage and returns what it printed.
  Async<std::string> output_of(std::string script, ExitStatus* status = nullptr) {
    StreamPair out = make_output_pipe();
    ChildOrder order{.program = "/bin/sh", .arguments = {"-c", std::move(script)}};
    order.descriptors.push_back({1, std::move(out.theirs)});
    auto child = co_await cage_.start(std::move(order));
    Stream stream(executor(), std::move(out.ours));
    std::string text = co_await stream.read_to_end(output_bytes_max);
    ExitStatus ended = co_await child->wait();
    if (status != nullptr) {
      *status = ended;
    }
    co_return text;
  }

 protected:
  Cage cage_{executor()};
  SystemClock real_clock_;
  static constexpr std::size_t output_bytes_max = 65536;
};

ASYNC_TEST(CageTest, a_child_has_exactly_the_environment_and_descriptors_it_was_given) {
  ::setenv("CAPSTAN_SECRET_OF_THE_SERVER", "x", 1);
  Fd unrelated(::open("/dev/null", O_RDONLY));  // without O_CLOEXEC, on purpose
  std::string text =
      co_await output_of("env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD=; ls /proc/$$/fd");
  EXPECT_EQ(text, "0\n1\n2\n");
  co_await cage_.close();
}

ASYNC_TEST(CageTest, a_child_leads_a_group_of_its_own_and_has_no_core_files) {
  std::string text =
      co_await output_of("ps -o pgid= -p $$ | tr -d ' '; echo $$; ulimit -c; ulimit -n");
  std::size_t line = text.find('\n');
  EXPECT_EQ(text.substr(0, line), text.substr(line + 1, line));
  EXPECT_NE(text.find("\n0\n1024\n"), std::string::npos) << text;
  co_await cage_.close();
}

ASYNC_TEST(CageTest, exit_codes_and_signals_are_told_apart) {
  ExitStatus status;
  co_await output_of("exit 7", &status);
  EXPECT_EQ(status.text(), "exit code 7");
  co_await output_of("kill -SEGV $$", &status);
  EXPECT_EQ(status.signal, SIGSEGV);
  EXPECT_EQ(cage_.child_count(), 0U);
  co_await cage_.close();
}

ASYNC_TEST(CageTest, destroying_a_child_ends_its_whole_group) {
  StreamPair out = make_output_pipe();
  ChildOrder order{.program = "/bin/sh", .arguments = {"-c", "sleep 1000 & sleep 1000"}};
  order.descriptors.push_back({1, std::move(out.theirs)});
  auto child = co_await cage_.start(std::move(order));
  child.reset();
  // The pipe ends only when the last process that holds it has gone.
  Stream stream(executor(), std::move(out.ours));
  EXPECT_EQ(
      co_await within(real_clock_, 5s, stream.read_to_end(output_bytes_max), "the group lives on"),
      "");
  co_await cage_.close();
  EXPECT_EQ(cage_.child_count(), 0U);
}

ASYNC_TEST(CageTest, a_program_that_is_not_there_is_an_error_with_a_reason) {
  auto outcome = co_await outcome_of(cage_.start({.program = "/nonexistent/program"}));
  EXPECT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().message(),
            "can't start /nonexistent/program: No such file or directory");
  EXPECT_EQ(outcome.error().cause(), "exec: No such file or directory");
  EXPECT_EQ(cage_.child_count(), 0U);
  co_await cage_.close();
}

ASYNC_TEST(CageTest, a_door_is_a_loopback_listener_of_its_own) {
  auto first =
      co_await cage_.start({.program = "/bin/sleep", .arguments = {"1000"}, .with_door = true});
  auto second =
      co_await cage_.start({.program = "/bin/sleep", .arguments = {"1000"}, .with_door = true});
  Door door = first->take_door();
  EXPECT_TRUE(door.listener);
  EXPECT_TRUE(door.url.starts_with("http://127.0.0.1:"));
  EXPECT_NE(door.url, second->take_door().url);
  first.reset();
  second.reset();
  co_await cage_.close();
}

}  // namespace capstan
