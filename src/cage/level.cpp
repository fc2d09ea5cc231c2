#include "cage/level.h"

namespace capstan {

std::string_view to_text(IsolationLevel level) {
  switch (level) {
    case IsolationLevel::none:
      return "none";
    case IsolationLevel::standard:
      return "standard";
    case IsolationLevel::strict:
      return "strict";
  }
  return "none";
}

std::optional<IsolationLevel> parse_isolation_level(std::string_view text) {
  for (auto level : {IsolationLevel::none, IsolationLevel::standard, IsolationLevel::strict}) {
    if (text == to_text(level)) {
      return level;
    }
  }
  return std::nullopt;
}

std::optional<std::string> shortfall(const Isolation& isolation, IsolationLevel minimum) {
  if (isolation.level >= minimum) {
    return std::nullopt;
  }
  std::string text = "isolation is " + std::string(to_text(isolation.level)) +
                     ", below the minimum " + std::string(to_text(minimum));
  for (const std::string& reason : isolation.reasons) {
    text += "; " + reason;
  }
  return text;
}

}  // namespace capstan
