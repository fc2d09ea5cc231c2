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

}  // namespace capstan
