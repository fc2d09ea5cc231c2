#pragma once

#include <optional>

namespace capstan {

// What was given takes the field's place; what was not leaves it as it is.
template <class T>
void take_over(std::optional<T>& field, const std::optional<T>& given) {
  if (given) {
    field = given;
  }
}

}  // namespace capstan
