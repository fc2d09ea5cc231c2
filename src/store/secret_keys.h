#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"

namespace capstan {

// A key that secrets are sealed with, and the name by which sealed texts remember it.
struct SecretKey {
  std::string id;
  std::array<std::uint8_t, 32> bytes{};
};

// A new key, as a line of the file below.
std::string make_secret_key_line(Random& random);

// The keys of a file that has one per line, ID:BASE64: the first one seals, all of them open. So a
// key is replaced by putting another one above it. Throws invalid_argument, naming file and line,
// when the file isn't there, is open to other users, or holds anything else.
std::vector<SecretKey> read_secret_keys(const std::filesystem::path& file);

}  // namespace capstan
