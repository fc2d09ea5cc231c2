#include "app/event_reader.h"

#include <utility>

#include "base/error.h"

namespace capstan {
namespace {

// The longest thing a server says is a run's output, of which JSON may double the length.
constexpr std::size_t line_bytes_max = std::size_t{32} << 20;

}  // namespace

void EventReader::read(std::string_view piece) {
  while (!piece.empty()) {
    std::size_t end = piece.find('\n');
    unfinished_ += piece.substr(0, end);
    if (unfinished_.size() > line_bytes_max) {
      throw Error(ErrorCode::resource_exhausted, "the server sent an event beyond 32 MiB");
    }
    if (end == std::string_view::npos) {
      return;
    }
    read_line(std::exchange(unfinished_, {}));
    piece.remove_prefix(end + 1);
  }
}

void EventReader::read_line(std::string_view line) {
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  if (line.empty()) {
    std::string name = std::exchange(name_, {});
    std::string data = std::exchange(data_, {});
    if (!data.empty()) {
      on_event_(name, data);
    }
    return;
  }
  std::size_t colon = line.find(':');
  std::string_view field = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
  if (value.starts_with(' ')) {
    value.remove_prefix(1);
  }
  if (field == "event") {
    name_ = value;
  } else if (field == "data") {
    data_ += (data_.empty() ? "" : "\n") + std::string(value);
  }
}

}  // namespace capstan
