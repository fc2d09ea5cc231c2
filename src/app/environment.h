#pragma once

#include <map>
#include <string>
#include <string_view>

namespace capstan {

// The variables of a process, or of a test.
using Environment = std::map<std::string, std::string, std::less<>>;

Environment environment_of_process();

// A variable's value; nothing if it isn't set.
const std::string* find_variable(const Environment& environment, std::string_view name);

}  // namespace capstan
