#include "app/setting_problem.h"

#include "base/error.h"

namespace capstan {

void refuse(const std::string& place, const std::string& name, const std::string& problem) {
  throw Error(ErrorCode::invalid_argument, place + ": " + name + " " + problem);
}

std::string place_of(const std::string& file, const toml::source_region& source) {
  return file + ", line " + std::to_string(source.begin.line);
}

}  // namespace capstan
