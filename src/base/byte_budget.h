#pragma once

#include <cstddef>

namespace capstan {

// How much memory several parties may hold together for what somebody else sends them.
class ByteBudget {
 public:
  explicit ByteBudget(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  ByteBudget(const ByteBudget&) = delete;
  ByteBudget& operator=(const ByteBudget&) = delete;

  // What one party holds. The budget outlives it.
  class Share {
   public:
    explicit Share(ByteBudget& budget) : budget_(budget) {}
    ~Share() { set(0); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    // Says how much that is from now on; false if all together is now more than there may be, and
    // the party has to give up what it holds.
    bool set(std::size_t bytes) {
      budget_.held_ += bytes - bytes_;
      bytes_ = bytes;
      return budget_.held_ <= budget_.bytes_max_;
    }

   private:
    ByteBudget& budget_;
    std::size_t bytes_ = 0;
  };

 private:
  const std::size_t bytes_max_;
  std::size_t held_ = 0;
};

}  // namespace capstan
