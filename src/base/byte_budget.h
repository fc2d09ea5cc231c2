#pragma once

#include <cstddef>

namespace capstan {

// How much memory several parties may hold together for bytes that somebody else sends, or has not
// taken yet.
class ByteBudget {
 public:
  explicit ByteBudget(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  ByteBudget(const ByteBudget&) = delete;
  ByteBudget& operator=(const ByteBudget&) = delete;

  // What one party holds. Who holds `free_bytes` at most is not counted, and so never lacks room;
  // who holds more is counted in full. The budget outlives it.
  class Share {
   public:
    explicit Share(ByteBudget& budget, std::size_t free_bytes = 0)
        : budget_(budget), free_bytes_(free_bytes) {}
    ~Share() { set(0); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    // Says how much that is from now on; false, and nothing has changed, if there is no room for
    // it: then the party has to give up what it holds. For less there is always room.
    bool set(std::size_t held_bytes) {
      std::size_t bytes = held_bytes > free_bytes_ ? held_bytes : 0;
      if (bytes > bytes_ && bytes - bytes_ > budget_.bytes_max_ - budget_.held_) {
        return false;
      }
      budget_.held_ += bytes - bytes_;
      bytes_ = bytes;
      return true;
    }
    // What of it counts, in bytes.
    std::size_t bytes() const { return bytes_; }

   private:
    ByteBudget& budget_;
    const std::size_t free_bytes_;
    std::size_t bytes_ = 0;
  };

 private:
  const std::size_t bytes_max_;
  std::size_t held_ = 0;
};

}  // namespace capstan
