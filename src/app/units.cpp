#include "app/units.h"

#include <charconv>

namespace capstan {

std::optional<Duration> parse_duration(std::string_view text) {
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  constexpr std::int64_t year_ms = std::int64_t{365} * 24 * 3600 * 1000;
  std::int64_t unit_ms = unit == "ms"  ? 1
                         : unit == "s" ? 1000
                         : unit == "m" ? 60 * 1000
                         : unit == "h" ? 3600 * 1000
                                       : 0;
  if (error != std::errc() || unit_ms == 0 || number < 1 || number > year_ms / unit_ms) {
    return std::nullopt;
  }
  return std::chrono::milliseconds(number * unit_ms);
}

}  // namespace capstan
