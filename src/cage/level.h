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

// What this machine gives to one kind of cage, and why it isn't more.
struct Isolation {
  IsolationLevel level = IsolationLevel::none;
  std::vector<std::string> reasons;
};

// Why a cage of this isolation is not enough, for messages; nothing if it is.
std::optional<std::string> shortfall(const Isolation& isolation, IsolationLevel minimum);

}  // namespace capstan
