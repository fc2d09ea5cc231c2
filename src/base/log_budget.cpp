#include "base/log_budget.h"

#include <chrono>
#include <utility>

namespace capstan {

bool LogBudget::may_tell(SteadyTime now) {
  if (now - minute_ >= std::chrono::minutes(1)) {
    minute_ = now;
    told_ = 0;
  }
  if (told_ == lines_per_minute_max_) {
    ++untold_;
    return false;
  }
  ++told_;
  return true;
}

std::optional<std::size_t> LogBudget::take_untold() {
  std::size_t untold = std::exchange(untold_, 0);
  return untold > 0 ? std::optional(untold) : std::nullopt;
}

}  // namespace capstan
