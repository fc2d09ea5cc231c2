#pragma once

#include <optional>
#include <string>

namespace capstan {

// Failures in a row of something that is done again and again, such as starting a browser: one may
// be chance, three mean trouble until it succeeds again.
class FailureStreak {
 public:
  void add(std::string message) {
    ++count_;
    last_ = std::move(message);
  }
  // For a failure that leaves no doubt.
  void add_certain(std::string message) {
    count_ = means_trouble;
    last_ = std::move(message);
  }
  void end() { count_ = 0; }

  // What failed last, while it is trouble.
  std::optional<std::string> trouble() const {
    return count_ < means_trouble ? std::nullopt : std::optional(last_);
  }

 private:
  static constexpr int means_trouble = 3;
  int count_ = 0;
  std::string last_;
};

}  // namespace capstan
