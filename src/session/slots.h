#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>

#include "base/metrics.h"

namespace capstan {

class Slots;

// Permission to use one unit of capacity; destroying it gives it back.
class Slot {
 public:
  Slot() = default;
  Slot(Slots* slots, std::string owner) : slots_(slots), owner_(std::move(owner)) {}
  ~Slot() { give_back(); }
  Slot(Slot&& other) noexcept
      : slots_(std::exchange(other.slots_, nullptr)), owner_(std::move(other.owner_)) {}
  Slot& operator=(Slot&& other) noexcept {
    give_back();
    slots_ = std::exchange(other.slots_, nullptr);
    owner_ = std::move(other.owner_);
    return *this;
  }

 private:
  void give_back();

  Slots* slots_ = nullptr;
  std::string owner_;
};

// A bounded capacity that several owners (teams) share. Outlives its slots.
class Slots {
 public:
  // `what` is the noun for messages: "sessions". `used_gauge` always shows how many are taken.
  Slots(std::string what, std::size_t total_max, std::size_t per_owner_max,
        prometheus::Gauge& used_gauge)
      : what_(std::move(what)),
        total_max_(total_max),
        per_owner_max_(per_owner_max),
        used_gauge_(used_gauge) {}

  // Throws resource_exhausted when the owner has its share already, unavailable when all are in
  // use; both say when to try again.
  Slot take(const std::string& owner);

  std::size_t used() const { return used_; }

 private:
  friend class Slot;
  void give_back(const std::string& owner);

  const std::string what_;
  const std::size_t total_max_;
  const std::size_t per_owner_max_;
  prometheus::Gauge& used_gauge_;
  std::size_t used_ = 0;
  std::map<std::string, std::size_t> used_by_owner_;
};

}  // namespace capstan
