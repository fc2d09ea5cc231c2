#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace capstan::x11 {

// The keys of a keyboard with 105 keys and the layout "us", which is what Xvfb begins with: their
// numbers are those of Linux's input events, plus 8.

// The key at this place ("Enter", "ArrowLeft", "ShiftLeft", "F5"): one that writes nothing, or is
// known by its place. Nothing for one that there isn't.
std::optional<std::uint8_t> key_at(std::string_view code);

struct WritingKey {
  std::uint8_t keycode = 0;
  bool shift = false;
};
// The key that writes this character of ASCII; nothing for any other.
std::optional<WritingKey> key_writing(char32_t character);

// The symbol that stands for a character (X11 protocol, appendix A).
std::uint32_t symbol_of(char32_t character);

inline constexpr std::uint8_t shift_key = 50;

}  // namespace capstan::x11
