#include "task/run_log.h"

#include "base/text.h"
#include "io/loop_test.h"
#include "io/scope.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t plenty = std::size_t{1} << 20;

// The lines as one text: "out one", "err two".
std::vector<std::string> texts_of(const RunLog& log) {
  std::vector<std::string> texts;
  for (const LogLine& line : log.lines()) {
    const char* stream = line.stream == LogStream::out   ? "out "
                         : line.stream == LogStream::err ? "err "
                                                         : "server ";
    texts.push_back(stream + line.text);
  }
  return texts;
}

json::array json_of(const RunLog& log) {
  json::array lines;
  for (const LogLine& line : log.lines()) {
    lines.push_back(to_json(line));
  }
  return lines;
}

std::size_t marks_in(const RunLog& log) {
  std::size_t marks = 0;
  for (const LogLine& line : log.lines()) {
    marks += line.stream == LogStream::server ? 1 : 0;
  }
  return marks;
}

// Reads a log as a client that follows it does.
Async<> follow(RunLog* log, std::size_t* seen, bool* ended) {
  while (*seen < log->lines().size() || !log->is_finished()) {
    co_await log->more_than(*seen);
    *seen = log->lines().size();
  }
  *ended = true;
}

}  // namespace

class RunLogTest : public LoopTest {
 protected:
  RunLog log_{executor(), clock_, plenty};
};

TEST_F(RunLogTest, cuts_what_comes_into_lines_with_their_time) {
  WallTime start = clock_.wall_now();
  log_.append(LogStream::out, "one\ntwo\n\n");
  clock_.advance(1s);
  log_.append(LogStream::err, "three\r\n");
  EXPECT_EQ(texts_of(log_),
            (std::vector<std::string>{"out one", "out two", "out ", "err three\r"}));
  EXPECT_EQ(log_.lines().front().time, start);
  EXPECT_EQ(log_.lines().back().time, start + 1s);
}

TEST_F(RunLogTest, puts_lines_together_again_whose_pieces_come_mixed) {
  log_.append(LogStream::out, "o");
  log_.append(LogStream::err, "e");
  log_.append(LogStream::out, "n");
  log_.append(LogStream::err, "rr\nmore");
  EXPECT_EQ(texts_of(log_), (std::vector<std::string>{"err err"}));
  log_.append(LogStream::out, "e\n");
  log_.append(LogStream::out, "");
  EXPECT_EQ(texts_of(log_), (std::vector<std::string>{"err err", "out one"}));
  log_.finish();
  EXPECT_EQ(texts_of(log_), (std::vector<std::string>{"err err", "out one", "err more"}));
}

TEST_F(RunLogTest, a_character_split_between_two_reads_stays_whole) {
  std::string text = "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80";
  for (char byte : text) {
    log_.append(LogStream::out, {&byte, 1});
  }
  log_.append(LogStream::out, "\n");
  EXPECT_EQ(log_.lines().at(0).text, text);
}

TEST_F(RunLogTest, what_is_not_utf8_is_made_valid) {
  log_.append(LogStream::out, "a\xff\xe2\x82\n");
  log_.append(LogStream::err, "\xf0\x9f");
  log_.finish();
  for (const LogLine& line : log_.lines()) {
    EXPECT_TRUE(is_utf8(line.text));
  }
  EXPECT_EQ(log_.lines().at(0).text, "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

TEST_F(RunLogTest, nuls_and_control_characters_are_kept) {
  std::string text("a\0\x1b[1mb\t", 8);
  log_.append(LogStream::out, text + "\n");
  EXPECT_EQ(log_.lines().at(0).text, text);
}

TEST_F(RunLogTest, a_line_without_end_comes_in_pieces_that_cut_no_character) {
  std::string text;
  while (text.size() < 200'000) {
    text += "\xe2\x82\xac";
  }
  log_.append(LogStream::out, std::string_view(text).substr(0, 100'000));
  EXPECT_EQ(log_.lines().size(), 1U);
  log_.append(LogStream::out, std::string_view(text).substr(100'000));
  log_.finish();
  std::string together;
  for (const LogLine& line : log_.lines()) {
    EXPECT_LE(line.text.size(), 65'536U);
    EXPECT_TRUE(line.text.ends_with("\xe2\x82\xac"));
    together += line.text;
  }
  EXPECT_TRUE(together == text);
}

TEST_F(RunLogTest, bytes_that_are_no_text_are_cut_into_pieces_and_not_into_nothing) {
  RunLog log(executor(), clock_, 100);
  log.append(LogStream::out, std::string(70'000, '\x80'));
  EXPECT_EQ(log.lines().size(), 1U) << "the first piece is over the bound";
  EXPECT_EQ(marks_in(log), 1U);
}

TEST_F(RunLogTest, what_is_over_the_bound_is_dropped_and_one_last_line_says_so) {
  RunLog log(executor(), clock_, 2 * (4 + 64));
  log.append(LogStream::out, "1234\n5678\n");
  EXPECT_EQ(marks_in(log), 0U) << "two lines of four bytes are within it";
  EXPECT_FALSE(is_truncated(json_of(log)));
  log.append(LogStream::out, "\n");
  log.append(LogStream::err, "more\n");
  log.append(LogStream::err, "half");
  log.finish();
  EXPECT_EQ(log.lines().size(), 3U);
  EXPECT_EQ(marks_in(log), 1U);
  EXPECT_TRUE(is_truncated(json_of(log)));
}

TEST_F(RunLogTest, a_line_longer_than_the_bound_leaves_one_mark_and_nothing_behind_it) {
  for (std::size_t bytes_max : {std::size_t{0}, std::size_t{100}, std::size_t{10'000}}) {
    RunLog log(executor(), clock_, bytes_max);
    log.append(LogStream::out, std::string(70'000, 'x') + "\nshort\n");
    log.finish();
    EXPECT_EQ(marks_in(log), 1U) << bytes_max;
    EXPECT_EQ(log.lines().size(), 1U) << bytes_max;
    EXPECT_TRUE(is_truncated(json_of(log))) << bytes_max;
  }
}

TEST_F(RunLogTest, a_program_that_prints_our_mark_truncates_nothing) {
  RunLog log(executor(), clock_, 10);
  log.append(LogStream::out, std::string(100, 'x') + "\n");
  std::string mark = log.lines().at(0).text;
  log_.append(LogStream::out, mark + "\n");
  EXPECT_FALSE(is_truncated(json_of(log_)));
  EXPECT_FALSE(is_truncated(json::array()));
}

TEST_F(RunLogTest, a_line_as_json_has_time_stream_and_text) {
  log_.append(LogStream::err, "say \"hi\"\n");
  EXPECT_EQ(json::serialize(to_json(log_.lines().at(0))),
            R"({"time":"2023-11-14T22:13:20.000Z","stream":"stderr","text":"say \"hi\""})");
}

ASYNC_TEST(RunLogTest, followers_see_every_line_and_come_to_an_end) {
  Scope scope(executor(), "test");
  std::size_t seen[3] = {0, 0, 0};
  bool ended[3] = {false, false, false};
  log_.append(LogStream::out, "before\n");
  scope.spawn(follow(&log_, &seen[0], &ended[0]));
  scope.spawn(follow(&log_, &seen[1], &ended[1]));
  co_await settle();
  EXPECT_EQ(seen[0], 1U);
  log_.append(LogStream::out, "one\ntwo\nhalf");
  co_await settle();
  EXPECT_EQ(seen[0], 3U);
  EXPECT_EQ(seen[1], 3U);
  scope.spawn(follow(&log_, &seen[2], &ended[2]));
  co_await settle();
  EXPECT_EQ(seen[2], 3U) << "who comes late catches up";
  EXPECT_FALSE(ended[0] || ended[1] || ended[2]);
  log_.finish();
  co_await scope.drain();
  for (int follower = 0; follower < 3; ++follower) {
    EXPECT_EQ(seen[follower], 4U);
    EXPECT_TRUE(ended[follower]);
  }
  co_await log_.more_than(1000);
}

ASYNC_TEST(RunLogTest, a_follower_of_a_log_without_lines_ends_with_it) {
  Scope scope(executor(), "test");
  std::size_t seen = 0;
  bool ended = false;
  scope.spawn(follow(&log_, &seen, &ended));
  co_await settle();
  EXPECT_FALSE(ended);
  log_.finish();
  co_await scope.drain();
  EXPECT_TRUE(ended);
  EXPECT_EQ(seen, 0U);
}

}  // namespace capstan
