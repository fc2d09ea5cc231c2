#include "base/time.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace capstan {

std::string to_rfc3339(WallTime time) {
  auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  auto milliseconds = (time - seconds).count();
  std::time_t unix_time = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(seconds));
  std::tm parts{};
  ::gmtime_r(&unix_time, &parts);
  std::array<char, 40> text{};
  std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text.data() + length, text.size() - length, ".%03dZ",
                static_cast<int>(milliseconds));
  return text.data();
}

}  // namespace capstan
