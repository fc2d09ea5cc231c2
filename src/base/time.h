#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace capstan {

// Wall-clock time as it is stored and shown: milliseconds since 1970-01-01T00:00:00Z.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
// Time for deadlines and durations; never jumps.
using SteadyTime = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

inline std::int64_t to_unix_ms(WallTime time) { return time.time_since_epoch().count(); }
inline WallTime from_unix_ms(std::int64_t ms) { return WallTime(std::chrono::milliseconds(ms)); }

// RFC 3339 in UTC with milliseconds: 2026-11-24T09:30:00.000Z.
std::string to_rfc3339(WallTime time);

}  // namespace capstan
