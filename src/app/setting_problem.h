#pragma once

#include <string>

#include <toml++/toml.h>

namespace capstan {

// Throws invalid_argument: what was given at that place for the setting of that name is not to be
// used. The problem must not repeat a secret.
[[noreturn]] void refuse(const std::string& place, const std::string& name,
                         const std::string& problem);

// "capstan.toml, line 3".
std::string place_of(const std::string& file, const toml::source_region& source);

}  // namespace capstan
