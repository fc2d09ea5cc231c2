#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace capstan {

// Where randomness comes from. Everything secret and every id draws from a Random, so that a test
// can replay a run from a seed.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::byte> bytes) = 0;

  // `bytes` random bytes as lower-case hex.
  std::string hex(std::size_t bytes);
};

// The kernel's generator.
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::byte> bytes) override;
};

// Repeatable and not secret: tests only.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(std::span<std::byte> bytes) override;

 private:
  std::uint64_t state_;
};

}  // namespace capstan
