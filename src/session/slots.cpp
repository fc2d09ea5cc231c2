#include "session/slots.h"

#include <prometheus/gauge.h>

#include "base/check.h"
#include "base/error.h"

namespace capstan {

using namespace std::chrono_literals;

void Slot::give_back() {
  if (slots_ != nullptr) {
    std::exchange(slots_, nullptr)->give_back(owner_);
  }
}

Slot Slots::take(const std::string& owner) {
  if (used_ >= total_max_) {
    throw Error(ErrorCode::unavailable, "all " + std::to_string(total_max_) + " " + what_ +
                                            " of this server are in use; try again later")
        .retry_after(5s);
  }
  std::size_t& own = used_by_owner_[owner];
  if (own >= per_owner_max_) {
    throw Error(ErrorCode::resource_exhausted,
                "your team has " + std::to_string(own) + " " + what_ +
                    " open, which is its limit; end one or try again later")
        .retry_after(5s);
  }
  ++own;
  ++used_;
  used_gauge_.Increment();
  return Slot(this, owner);
}

void Slots::give_back(const std::string& owner) {
  auto entry = used_by_owner_.find(owner);
  CHECK(entry != used_by_owner_.end() && used_ > 0);
  --used_;
  used_gauge_.Decrement();
  if (--entry->second == 0) {
    used_by_owner_.erase(entry);
  }
}

}  // namespace capstan
