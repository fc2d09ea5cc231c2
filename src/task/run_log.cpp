#include "task/run_log.h"

#include "base/text.h"

namespace capstan {
namespace {

// A program that never ends a line still gets its text shown in pieces.
constexpr std::size_t line_bytes_max = std::size_t{64} << 10;
// What a line weighs besides its text, in memory and as JSON: a million empty lines are no small
// log.
constexpr std::size_t line_weight = 64;

std::string_view to_text(LogStream stream) {
  switch (stream) {
    case LogStream::out:
      return "stdout";
    case LogStream::err:
      return "stderr";
    case LogStream::server:
      return "server";
  }
  return "server";
}

}  // namespace

json::object to_json(const LogLine& line) {
  return {{"time", to_rfc3339(line.time)}, {"stream", to_text(line.stream)}, {"text", line.text}};
}

bool is_truncated(const json::array& lines) {
  return !lines.empty() && lines.back().at("stream").as_string() == to_text(LogStream::server);
}

RunLog::RunLog(const Executor& executor, Clock& clock, std::size_t bytes_max)
    : clock_(clock), bytes_left_(bytes_max), changed_(executor) {}

void RunLog::append(LogStream stream, std::string_view bytes) {
  std::string& unfinished = unfinished_[static_cast<std::size_t>(stream)];
  while (!bytes.empty() && !truncated_) {
    std::size_t end = bytes.find('\n');
    unfinished += bytes.substr(0, end);
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    while (unfinished.size() > line_bytes_max && !truncated_) {
      std::string_view piece = clip_utf8(unfinished, line_bytes_max);
      add_line(stream, piece);
      unfinished.erase(0, piece.size());
    }
    if (end != std::string_view::npos && !truncated_) {
      add_line(stream, unfinished);
      unfinished.clear();
    }
  }
}

void RunLog::add_line(LogStream stream, std::string_view text) {
  if (text.size() + line_weight > bytes_left_) {
    truncated_ = true;
    stream = LogStream::server;
    text = "the rest of the log was dropped: it is longer than the server keeps";
  } else {
    bytes_left_ -= text.size() + line_weight;
  }
  lines_.push_back({clock_.wall_now(), stream, to_valid_utf8(text)});
  changed_.set();
}

void RunLog::finish() {
  for (LogStream stream : {LogStream::out, LogStream::err}) {
    std::string& unfinished = unfinished_[static_cast<std::size_t>(stream)];
    if (!unfinished.empty() && !truncated_) {
      add_line(stream, std::exchange(unfinished, {}));
    }
  }
  finished_ = true;
  changed_.set();
}

Async<> RunLog::more_than(std::size_t count) {
  while (lines_.size() <= count && !finished_) {
    changed_.clear();
    co_await changed_.wait();
  }
}

}  // namespace capstan
