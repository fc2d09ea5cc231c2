#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace capstan {

// Cuts a stream of server-sent events into events, however the pieces come. Comments are passed
// over, and so are fields that we don't use (id, retry).
class EventReader {
 public:
  using OnEvent = std::function<void(const std::string& name, const std::string& data)>;
  explicit EventReader(OnEvent on_event) : on_event_(std::move(on_event)) {}

  // Throws resource_exhausted for a line of more than 32 MiB.
  void read(std::string_view piece);

 private:
  void read_line(std::string_view line);

  OnEvent on_event_;
  std::string unfinished_;  // line
  std::string name_;
  std::string data_;
};

}  // namespace capstan
