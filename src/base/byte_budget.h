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

    // Says how much that is from now on; false, and nothing has changed, if there is no room for
    // it: then the party has to give up what it holds. For less there is always room.
    bool set(std::size_t bytes) {
      if (bytes > bytes_ && bytes - bytes_ > budget_.bytes_max_ - budget_.held_) {
        return false;
      }
      budget_.held_ += bytes - bytes_;
      bytes_ = bytes;
      return true;
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
