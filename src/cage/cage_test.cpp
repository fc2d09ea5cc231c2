#include "cage/cage.h"

#include <algorithm>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cage/escape_trial.h"
#include "io/loop_test.h"
#include "io/race.h"
#include "io/stream.h"
#include "io/stream_pair.h"

namespace capstan {

using namespace std::chrono_literals;

// Each test runs at every level. What this machine can't give fails the test: a machine that
// builds Capstan is expected to give everything.
class CageTest : public LoopTest, public testing::WithParamInterface<IsolationLevel> {
 public:
  IsolationLevel level() const { return GetParam(); }

  Async<std::unique_ptr<Child>> start(Command command, Fd output = {}, CageLimits limits = {},
                                      std::size_t doors = 0) {
    ChildOrder order{.limits = limits, .door_count = doors};
    order.command = [command](const Interior&) { return command; };
    if (output) {
      order.descriptors.push_back({1, std::move(output)});
    }
    return cage_.start_at(level(), std::move(order));
  }

  Async<std::unique_ptr<Child>> start_script(std::string script, Fd output = {},
                                             CageLimits limits = {}, std::size_t doors = 0) {
    return start({.program = "/usr/bin/sh", .arguments = {"-c", std::move(script)}},
                 std::move(output), limits, doors);
  }

  // Runs a shell script in a cage and returns what it printed.
  Async<std::string> output_of(std::string script, ExitStatus* status = nullptr,
                               CageLimits limits = {}) {
    StreamPair out = make_output_pipe();
    auto child = co_await start_script(std::move(script), std::move(out.theirs), limits);
    Stream stream(executor(), std::move(out.ours));
    std::string text = co_await within(real_clock_, 20s, stream.read_to_end(output_bytes_max),
                                       "somebody in the cage lives on");
    ExitStatus ended = co_await child->wait();
    if (status != nullptr) {
      *status = ended;
    }
    co_return text;
  }

 protected:
  SystemClock real_clock_;
  Workers workers_{1};
  WorkFolder work_folder_{std::filesystem::temp_directory_path(), workers_};
  Cage cage_{executor(), work_folder_};
  static constexpr std::size_t output_bytes_max = 65536;
};

#define CAGE_TEST(name)                                                 \
  class CageTest_##name : public CageTest {                             \
   public:                                                              \
    Async<> body();                                                     \
  };                                                                    \
  TEST_P(CageTest_##name, test) { run(body()); }                        \
  INSTANTIATE_TEST_SUITE_P(, CageTest_##name, every_level, level_name); \
  Async<> CageTest_##name::body()

namespace {

const auto every_level =
    testing::Values(IsolationLevel::none, IsolationLevel::standard, IsolationLevel::strict);

std::string level_name(const testing::TestParamInfo<IsolationLevel>& info) {
  return std::string(to_text(info.param));
}

}  // namespace

CAGE_TEST(nothing_gets_out_at_the_levels_that_say_so) {
  for (CageKind kind : {CageKind::task, CageKind::browser}) {
    std::vector<std::string> escaped = co_await try_to_escape(executor(), &cage_, kind, level());
    if (level() == IsolationLevel::none) {
      EXPECT_FALSE(escaped.empty());
    } else {
      EXPECT_EQ(escaped, std::vector<std::string>{});
    }
  }
  co_await cage_.close();
}

CAGE_TEST(a_child_has_exactly_the_environment_and_descriptors_it_was_given) {
  ::setenv("CAPSTAN_SECRET_OF_THE_SERVER", "x", 1);
  Fd unrelated(::open("/dev/null", O_RDONLY));  // without O_CLOEXEC, on purpose
  std::string text =
      co_await output_of("env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD=; ls /proc/$$/fd");
  EXPECT_EQ(text, "0\n1\n2\n");
  co_await cage_.close();
}

CAGE_TEST(a_child_leads_a_group_of_its_own_and_has_no_core_files) {
  std::string text = co_await output_of("cut -d' ' -f1,5,6 /proc/$$/stat; ulimit -c; ulimit -n");
  std::size_t space = text.find(' ');
  std::string pid = text.substr(0, space);
  EXPECT_EQ(text, pid + " " + pid + " " + pid + "\n0\n1024\n");
  co_await cage_.close();
}

CAGE_TEST(a_nice_child_has_the_niceness_that_was_ordered) {
  const int ours = ::getpriority(PRIO_PROCESS, 0);
  auto printed = [](int niceness) { return std::to_string(std::min(niceness, 19)) + "\n"; };
  EXPECT_EQ(co_await output_of("nice", nullptr, {.niceness = 10}), printed(ours + 10));
  EXPECT_EQ(co_await output_of("nice"), printed(ours));
  co_await cage_.close();
}

CAGE_TEST(exit_codes_and_signals_are_told_apart) {
  ExitStatus status;
  co_await output_of("exit 7", &status);
  EXPECT_EQ(status.text(), "exit code 7");
  co_await output_of("exit 137", &status);
  EXPECT_EQ(status.text(), "exit code 137");
  co_await output_of("kill -SEGV $$", &status);
  EXPECT_EQ(status.signal, SIGSEGV);
  co_await cage_.close();
  EXPECT_EQ(cage_.child_count(), 0U);
}

CAGE_TEST(destroying_a_child_ends_its_whole_group) {
  StreamPair out = make_output_pipe();
  auto child = co_await start_script("sleep 1000 & sleep 1000", std::move(out.theirs));
  child.reset();
  // The pipe ends only when the last process that holds it has gone.
  Stream stream(executor(), std::move(out.ours));
  EXPECT_EQ(
      co_await within(real_clock_, 5s, stream.read_to_end(output_bytes_max), "the group lives on"),
      "");
  co_await cage_.close();
  EXPECT_EQ(cage_.child_count(), 0U);
}

CAGE_TEST(a_program_that_is_not_there_is_an_error_with_a_reason) {
  auto outcome = co_await outcome_of(start({.program = "/nonexistent/program"}));
  EXPECT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().message(),
            "can't start /nonexistent/program: No such file or directory");
  EXPECT_EQ(outcome.error().cause(), "exec: No such file or directory");
  EXPECT_EQ(cage_.child_count(), 0U);
  co_await cage_.close();
}

CAGE_TEST(through_its_doors_a_child_reaches_us) {
  ChildOrder order{.door_count = 2};
  order.command = [](const Interior& interior) {
    std::string script =
        "use IO::Socket::INET; for (@ARGV) { my ($port) = /:(\\d+)$/;"
        "IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port)"
        " or die \"$_: $!\"; }";
    return Command{.program = "/usr/bin/perl",
                   .arguments = {"-e", script, interior.doors[0], interior.doors[1]}};
  };
  auto child = co_await cage_.start_at(level(), std::move(order));
  EXPECT_EQ((co_await child->wait()).text(), "exit code 0");
  for (std::size_t i : {0U, 1U}) {
    Door door = child->take_door(i);
    EXPECT_TRUE(door.url.starts_with("http://127.0.0.1:")) << door.url;
    EXPECT_GE(::accept(door.listener.get(), nullptr, nullptr), 0);
  }
  child.reset();
  co_await cage_.close();
}

CAGE_TEST(a_child_has_an_empty_folder_of_its_own_that_goes_with_it) {
  std::string text = co_await output_of("ls -A; echo x > y && cat y; pwd");
  EXPECT_TRUE(text.starts_with("x\n/")) << text;
  co_await cage_.close();
  std::filesystem::path home = text.substr(2, text.size() - 3);
  EXPECT_FALSE(std::filesystem::exists(home / "y")) << home;
  EXPECT_EQ(home == "/tmp", level() == IsolationLevel::strict);
}

CAGE_TEST(each_cage_has_a_user_of_its_own) {
  std::string first = co_await output_of("cat /proc/self/uid_map; id -u; sleep 0.1");
  std::string second = co_await output_of("cat /proc/self/uid_map; id -u");
  if (::geteuid() == 0) {
    EXPECT_NE(first, second);
  }
  co_await cage_.close();
}

CAGE_TEST(the_bound_on_processes_holds_for_the_whole_cage_and_is_told) {
  StreamPair out = make_output_pipe();
  auto child = co_await start_script("for i in 1 2 3 4 5 6 7 8 9; do sleep 1000 & done; echo all",
                                     std::move(out.theirs), {.processes_max = 6});
  ExitStatus status = co_await child->wait();
  std::string_view bound = cage_.processes_bound(level());
  EXPECT_EQ(status.code == 0, bound == "none") << status.text();
  EXPECT_EQ(child->limits_met().processes, bound == "cgroup");
  child.reset();
  co_await cage_.close();
}

}  // namespace capstan
