#include "base/log.h"

#include <chrono>
#include <poll.h>
#include <string>
#include <unistd.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/time.h"

namespace capstan {
namespace {

void write_line(std::string_view level, std::string_view event,
                std::initializer_list<LogField> fields) {
  auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  boost::json::object line{{"time", to_rfc3339(now)}, {"level", level}, {"event", event}};
  for (const LogField& field : fields) {
    if (!field.value.is_null()) {
      line[field.name] = field.value;
    }
  }
  std::string text = boost::json::serialize(line);
  text += '\n';
  pollfd ready{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&ready, 1, 0) == 1) {
    [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
  }
}

}  // namespace

void log_info(std::string_view event, std::initializer_list<LogField> fields) {
  write_line("info", event, fields);
}

void log_warning(std::string_view event, std::initializer_list<LogField> fields) {
  write_line("warning", event, fields);
}

void log_error(std::string_view event, std::initializer_list<LogField> fields) {
  write_line("error", event, fields);
}

}  // namespace capstan
