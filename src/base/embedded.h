#pragma once

#include <string_view>
#include <vector>

namespace capstan {

// One file whose text was compiled into the binary (cmake/embed.cmake).
struct EmbeddedFile {
  std::string_view name;
  std::string_view text;
};

}  // namespace capstan
