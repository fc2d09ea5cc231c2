#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace capstan {

// How much a cage confines, from least to most. What each level holds is told in
// docs/guide/security.md.
enum class IsolationLevel { none, standard, strict };

std::string_view to_text(IsolationLevel level);
std::optional<IsolationLevel> parse_isolation_level(std::string_view text);

// What this machine gives, and why it isn't more.
struct Isolation {
  IsolationLevel level = IsolationLevel::none;
  std::vector<std::string> reasons;
};

}  // namespace capstan
