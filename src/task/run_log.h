#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "io/clock.h"
#include "io/event.h"

namespace capstan {

// Where a line comes from: the process's two streams, or the server itself.
enum class LogStream { out, err, server };

struct LogLine {
  WallTime time;
  LogStream stream;
  std::string text;
};

json::object to_json(const LogLine& line);
// Whether these lines (as JSON) end with the server's word that it dropped the rest.
bool is_truncated(const json::array& lines);

// What a run prints, as lines with their time. Bounded: what comes after `bytes_max` is dropped,
// and one last line says so; a line counts for its text and 64 bytes. Lives as long as somebody
// writes or follows it.
class RunLog {
 public:
  RunLog(const Executor& executor, Clock& clock, std::size_t bytes_max);

  // Bytes as they come from the process; whole lines are added, the rest waits.
  void append(LogStream stream, std::string_view bytes);
  // Adds what was left without a line end, and lets followers come to their end.
  void finish();

  const std::vector<LogLine>& lines() const { return lines_; }
  bool is_finished() const { return finished_; }
  // Waits until there are more lines than `count`, or no more will come.
  Async<> more_than(std::size_t count);

 private:
  void add_line(LogStream stream, std::string_view text);

  Clock& clock_;
  std::size_t bytes_left_;
  std::vector<LogLine> lines_;
  std::string unfinished_[2];
  bool truncated_ = false;
  bool finished_ = false;
  Event changed_;
};

}  // namespace capstan
