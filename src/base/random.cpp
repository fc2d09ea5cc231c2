#include "base/random.h"

#include <sys/random.h>
#include <vector>

#include "base/check.h"
#include "base/text.h"

namespace capstan {

std::string Random::hex(std::size_t bytes) {
  std::vector<std::byte> raw(bytes);
  fill(raw);
  return to_hex(raw);
}

void SystemRandom::fill(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    ssize_t count = ::getrandom(bytes.data(), bytes.size(), 0);
    CHECK(count > 0);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void SeededRandom::fill(std::span<std::byte> bytes) {
  // SplitMix64: small, well mixed from any seed.
  for (std::byte& byte : bytes) {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
    byte = static_cast<std::byte>(mixed >> 56U);
  }
}

}  // namespace capstan
