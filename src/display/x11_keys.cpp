#include "display/x11_keys.h"

#include <utility>

namespace capstan::x11 {
namespace {

constexpr std::pair<std::string_view, std::uint8_t> places[] = {
    {"Escape", 9},
    {"Backspace", 22},
    {"Tab", 23},
    {"Enter", 36},
    {"ControlLeft", 37},
    {"ShiftLeft", 50},
    {"ShiftRight", 62},
    {"NumpadMultiply", 63},
    {"AltLeft", 64},
    {"Space", 65},
    {"CapsLock", 66},
    {"F1", 67},
    {"F2", 68},
    {"F3", 69},
    {"F4", 70},
    {"F5", 71},
    {"F6", 72},
    {"F7", 73},
    {"F8", 74},
    {"F9", 75},
    {"F10", 76},
    {"NumLock", 77},
    {"ScrollLock", 78},
    {"NumpadSubtract", 82},
    {"NumpadAdd", 86},
    {"F11", 95},
    {"F12", 96},
    {"NumpadEnter", 104},
    {"ControlRight", 105},
    {"NumpadDivide", 106},
    {"AltRight", 108},
    {"Home", 110},
    {"ArrowUp", 111},
    {"PageUp", 112},
    {"ArrowLeft", 113},
    {"ArrowRight", 114},
    {"End", 115},
    {"ArrowDown", 116},
    {"PageDown", 117},
    {"Insert", 118},
    {"Delete", 119},
    {"Pause", 127},
    {"MetaLeft", 133},
    {"MetaRight", 134},
    {"ContextMenu", 135},
};

// The rows of the keyboard: what their keys write, without and with shift.
struct Row {
  std::uint8_t first_keycode;
  std::string_view plain;
  std::string_view shifted;
};
constexpr Row rows[] = {
    {10, "1234567890-=", "!@#$%^&*()_+"},
    {24, "qwertyuiop[]", "QWERTYUIOP{}"},
    {38, "asdfghjkl;'`", "ASDFGHJKL:\"~"},
    {51, "\\zxcvbnm,./", "|ZXCVBNM<>?"},
    {65, " ", " "},
};

}  // namespace

std::optional<std::uint8_t> key_at(std::string_view code) {
  for (const auto& [name, keycode] : places) {
    if (name == code) {
      return keycode;
    }
  }
  return std::nullopt;
}

std::optional<WritingKey> key_writing(char32_t character) {
  if (character >= 0x80) {
    return std::nullopt;
  }
  for (const Row& row : rows) {
    for (std::string_view keys : {row.plain, row.shifted}) {
      std::size_t at = keys.find(static_cast<char>(character));
      if (at != std::string_view::npos) {
        return WritingKey{.keycode = static_cast<std::uint8_t>(row.first_keycode + at),
                          .shift = keys.data() == row.shifted.data()};
      }
    }
  }
  return std::nullopt;
}

std::uint32_t symbol_of(char32_t character) {
  constexpr std::uint32_t of_unicode = 0x01000000;
  bool is_latin =
      (character >= 0x20 && character <= 0x7e) || (character >= 0xa0 && character <= 0xff);
  return is_latin ? static_cast<std::uint32_t>(character)
                  : of_unicode + static_cast<std::uint32_t>(character);
}

}  // namespace capstan::x11
