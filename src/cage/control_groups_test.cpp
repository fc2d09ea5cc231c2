#include "cage/control_groups.h"

#include <array>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sched.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "io/file.h"

namespace capstan {
namespace {

bool is_in_group(const std::string& pid) {
  return read_file("/proc/" + pid + "/cgroup").find("/cage-") != std::string::npos;
}

void enter(const ControlGroup& group) {
  for (const Fd& entrance : group.entrances()) {
    if (::write(entrance.get(), "0", 1) != 1) {
      std::_Exit(1);
    }
  }
}

// A process in a group, which lives until it is ended.
pid_t start_in(const ControlGroup& group) {
  std::array<int, 2> began{};
  EXPECT_EQ(::pipe(began.data()), 0);
  pid_t child = ::fork();
  if (child == 0) {
    enter(group);
    ::close(began[1]);
    ::pause();
    std::_Exit(0);
  }
  ::close(began[1]);
  char nothing = 0;
  EXPECT_EQ(::read(began[0], &nothing, 1), 0);
  ::close(began[0]);
  return child;
}

// A process in a group, which wants all that it can get of the first of our processors.
pid_t start_spinning_in(const ControlGroup& group) {
  pid_t child = ::fork();
  if (child == 0) {
    enter(group);
    cpu_set_t ours;
    cpu_set_t first;
    CPU_ZERO(&first);
    ::sched_getaffinity(0, sizeof ours, &ours);
    for (int cpu = 0; CPU_COUNT(&first) == 0; ++cpu) {
      if (CPU_ISSET(cpu, &ours)) {
        CPU_SET(cpu, &first);
      }
    }
    if (::sched_setaffinity(0, sizeof first, &first) != 0) {
      std::_Exit(1);
    }
    while (true) {
    }
  }
  return child;
}

double cpu_seconds(pid_t process) {
  clockid_t clock{};
  timespec used{};
  EXPECT_EQ(::clock_getcpuclockid(process, &clock), 0);
  EXPECT_EQ(::clock_gettime(clock, &used), 0);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

bool has_ended(pid_t process) {
  std::ifstream stat("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  return !std::getline(stat, text) || text.find(") Z") != std::string::npos;
}

int signal_that_ended(pid_t child) {
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST(ControlGroups, take_in_a_process_and_end_it) {
  ControlGroups groups;
  ASSERT_EQ(groups.trouble(), "");
  auto group = groups.make({});
  pid_t child = start_in(*group);
  EXPECT_TRUE(is_in_group(std::to_string(child)));
  group->kill();
  EXPECT_EQ(signal_that_ended(child), SIGKILL);
  group->remove();
}

TEST(ControlGroups, that_are_nice_leave_the_processor_to_the_others) {
  ControlGroups groups;
  auto nice = groups.make({.niceness = 10});
  auto usual = groups.make({});
  pid_t of_the_nice = start_spinning_in(*nice);
  pid_t of_the_usual = start_spinning_in(*usual);
  double before = cpu_seconds(of_the_nice);
  while (cpu_seconds(of_the_usual) < 1) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_LT(cpu_seconds(of_the_nice) - before, 0.4);  // 0.1, or 1 if they were equals
  for (const auto* group : {nice.get(), usual.get()}) {
    group->kill();
  }
  EXPECT_EQ(signal_that_ended(of_the_nice), SIGKILL);
  EXPECT_EQ(signal_that_ended(of_the_usual), SIGKILL);
  nice->remove();
  usual->remove();
}

TEST(ControlGroups, of_a_server_that_lives_are_left_alone) {
  ControlGroups groups;
  auto group = groups.make({});
  pid_t child = start_in(*group);
  ControlGroups of_another_server;
  EXPECT_EQ(::waitpid(child, nullptr, WNOHANG), 0);
  EXPECT_NE(groups.make({}), nullptr);
  group->kill();
  EXPECT_EQ(signal_that_ended(child), SIGKILL);
  group->remove();
}

// What its server has left is the process that it started; so the server is a process here.
TEST(ControlGroups, of_a_server_that_died_are_ended_and_removed) {
  std::array<int, 2> told{};
  ASSERT_EQ(::pipe(told.data()), 0);
  pid_t server = ::fork();
  if (server == 0) {
    ControlGroups groups;
    auto group = groups.make({});
    pid_t left = ::fork();
    if (left == 0) {
      enter(*group);
      ::close_range(3, ~0U, 0);  // the lock too, as a program that was started would
      ::pause();
    }
    [[maybe_unused]] ssize_t written = ::write(told[1], &left, sizeof left);
    ::close(told[1]);
    ::pause();
  }
  ::close(told[1]);
  pid_t left = 0;
  ASSERT_EQ(::read(told[0], &left, sizeof left), static_cast<ssize_t>(sizeof left));
  char nothing = 0;
  ASSERT_EQ(::read(told[0], &nothing, 1), 0);
  ::close(told[0]);
  ::kill(server, SIGKILL);
  EXPECT_EQ(signal_that_ended(server), SIGKILL);

  ControlGroups groups;
  // Another server that starts at this moment may be the one that ends it.
  bool is_ended = false;
  for (int look = 0; look < 500 && !is_ended; ++look) {
    is_ended = has_ended(left);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(is_ended);
}

}  // namespace
}  // namespace capstan
