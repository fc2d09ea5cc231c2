#pragma once

#include <string>
#include <string_view>

namespace capstan {

// SHA-256 as lower-case hex. Enough for random 256-bit secrets, which nobody can guess; passwords
// of people would need a slow hash.
std::string sha256_hex(std::string_view bytes);

// Compares without telling by its duration where the two differ.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace capstan
