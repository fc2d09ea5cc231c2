#pragma once

#include <string_view>

namespace capstan {

// The small words of HTTP's grammar (RFC 9110, section 5.6).

bool is_letter_or_digit(char c);

// A method, or the name of a header.
bool is_token(std::string_view text);

// Whether one of the comma-separated items of `list` is `wanted`.
bool lists(std::string_view list, std::string_view wanted);

}  // namespace capstan
