#pragma once

namespace capstan {

// Ends the process with the broken condition's text and place. Used by CHECK alone.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace capstan

// A broken invariant is not a failure that anybody could handle: the process ends, in release
// builds too. What a caller or the outside world can cause is an Error instead.
#define CHECK(condition)                                       \
  do {                                                         \
    if (!(condition)) {                                        \
      ::capstan::check_failed(#condition, __FILE__, __LINE__); \
    }                                                          \
  } while (false)
