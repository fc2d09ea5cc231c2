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

std::size_t LogBudget::take_untold() { return std::exchange(untold_, 0); }

}  // namespace capstan
