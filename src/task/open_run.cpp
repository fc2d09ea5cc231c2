#include "task/open_run.h"

namespace capstan {

std::string OpenRun::unstored_log() const {
  json::array lines;
  for (std::size_t line = log_lines_stored; line < log->lines().size(); ++line) {
    lines.push_back(to_json(log->lines()[line]));
  }
  return lines.empty() ? std::string() : json::serialize(lines);
}

}  // namespace capstan
