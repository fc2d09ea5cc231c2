#pragma once

#include <cstddef>
#include <optional>

#include "base/time.h"

namespace capstan {

// How many lines a minute may stand in the log because of something foreign, which could cause as
// many as it likes.
class LogBudget {
 public:
  explicit LogBudget(std::size_t lines_per_minute_max)
      : lines_per_minute_max_(lines_per_minute_max) {}

  // Whether there is room for one more line.
  bool may_tell(SteadyTime now);
  // How many had no room since this was last asked, if any, for the next line to tell.
  std::optional<std::size_t> take_untold();

 private:
  const std::size_t lines_per_minute_max_;
  SteadyTime minute_;  // when the current one began
  std::size_t told_ = 0;
  std::size_t untold_ = 0;
};

}  // namespace capstan
