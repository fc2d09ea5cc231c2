#include "app/environment.h"

#include <unistd.h>

namespace capstan {

Environment environment_of_process() {
  Environment environment;
  for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
    std::string_view text = *each;
    if (std::size_t equals = text.find('='); equals != std::string_view::npos) {
      environment.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return environment;
}

const std::string* find_variable(const Environment& environment, std::string_view name) {
  auto found = environment.find(name);
  return found != environment.end() ? &found->second : nullptr;
}

}  // namespace capstan
