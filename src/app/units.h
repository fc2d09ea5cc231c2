#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"

namespace capstan {

// "500ms", "5s", "10m", "3h": a whole number from 1 and a unit, at most a year. Nothing for
// anything else.
std::optional<Duration> parse_duration(std::string_view text);

}  // namespace capstan
