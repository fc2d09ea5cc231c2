#include "task/limit_notes.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

constexpr std::uint64_t mib = std::uint64_t{1} << 20;

const CageLimits limits{.memory_bytes_max = 768 * mib,
                        .processes_max = 99,
                        .home_bytes_max = 5 * mib,
                        .open_files_max = 77};

std::string notes(const LimitsMet& met, std::string_view error, std::vector<LogLine> log = {}) {
  return limit_notes(met, limits, error, log);
}

}  // namespace

TEST(LimitNotesTest, a_failure_that_met_no_bound_gets_none) {
  EXPECT_EQ(notes({}, "Error: no such page"), "");
}

TEST(LimitNotesTest, what_the_kernel_tells_is_named_with_its_setting) {
  EXPECT_EQ(notes({.memory = true}, ""),
            "\nlimit: a run may have 768 MiB of memory (runs.memory_mib_max)");
  EXPECT_EQ(notes({.processes = true}, ""),
            "\nlimit: a run may have 99 processes and threads (runs.processes_max)");
  EXPECT_EQ(notes({.home = true}, ""),
            "\nlimit: a run may have 5 MiB of temporary files (runs.disk_mib_max)");
}

TEST(LimitNotesTest, what_the_error_tells_is_named_once) {
  EXPECT_EQ(notes({.home = true}, "Error: ENOSPC: no space left on device, write"),
            notes({.home = true}, ""));
  EXPECT_EQ(notes({}, "Error: EFBIG: file too large, write"), notes({.home = true}, ""));
  EXPECT_EQ(notes({}, "Error: EMFILE: too many open files, open '/dev/null'"),
            "\nlimit: a run may have 77 files open at once (runs.open_files_max)");
  EXPECT_EQ(notes({}, "RangeError: Array buffer allocation failed"), notes({.memory = true}, ""));
  EXPECT_EQ(notes({}, "Error: spawn node EAGAIN"), notes({.processes = true}, ""));
}

TEST(LimitNotesTest, an_error_that_comes_of_having_no_network_says_so) {
  EXPECT_NE(network_note(
                "TypeError: fetch failed\nCaused by: Error: getaddrinfo EAI_AGAIN a.example", false)
                .find("task.network"),
            std::string::npos);
  EXPECT_EQ(network_note("Error: no such page", false), "");
}

TEST(LimitNotesTest, an_error_that_comes_of_the_way_out_says_so) {
  std::string_view refused =
      "TypeError: fetch failed\n"
      "Caused by: Error: Proxy response (403) !== 200 when HTTP Tunneling";
  EXPECT_NE(network_note(refused, true).find("egress.allow"), std::string::npos);
  EXPECT_EQ(network_note("TypeError: fetch failed", true), "");
}

TEST(LimitNotesTest, a_full_heap_is_told_by_the_last_words_on_the_error_stream) {
  LogLine words{
      {}, LogStream::err, "FATAL ERROR: Reached heap limit JavaScript heap out of memory"};
  EXPECT_EQ(notes({}, "", {words}),
            "\nlimit: a run may have 384 MiB of JavaScript objects (half of runs.memory_mib_max)");
  words.stream = LogStream::out;
  EXPECT_EQ(notes({}, "", {words}), "");
}

}  // namespace capstan
