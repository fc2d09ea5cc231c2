#include "display/page_hands.h"

#include <utility>

namespace capstan {
namespace {

// What Windows calls the keys that don't write, which is what pages see as keyCode.
constexpr std::pair<std::string_view, int> windows_codes[] = {
    {"Backspace", 8}, {"Tab", 9},          {"Enter", 13},     {"Shift", 16},  {"Control", 17},
    {"Alt", 18},      {"Pause", 19},       {"CapsLock", 20},  {"Escape", 27}, {" ", 32},
    {"PageUp", 33},   {"PageDown", 34},    {"End", 35},       {"Home", 36},   {"ArrowLeft", 37},
    {"ArrowUp", 38},  {"ArrowRight", 39},  {"ArrowDown", 40}, {"Insert", 45}, {"Delete", 46},
    {"Meta", 91},     {"ContextMenu", 93}, {"F1", 112},       {"F2", 113},    {"F3", 114},
    {"F4", 115},      {"F5", 116},         {"F6", 117},       {"F7", 118},    {"F8", 119},
    {"F9", 120},      {"F10", 121},        {"F11", 122},      {"F12", 123},   {";", 186},
    {"=", 187},       {",", 188},          {"-", 189},        {".", 190},     {"/", 191},
    {"`", 192},       {"[", 219},          {"\\", 220},       {"]", 221},     {"'", 222},
};

int windows_code(const std::string& key) {
  if (key.size() == 1) {
    char letter = key.front();
    if (letter >= 'a' && letter <= 'z') {
      return letter - 'a' + 'A';
    }
    if ((letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9')) {
      return letter;
    }
  }
  for (const auto& [name, code] : windows_codes) {
    if (name == key) {
      return code;
    }
  }
  return 0;
}

// One character, of any length in bytes, is what a key writes; a name is longer.
bool writes(const std::string& key) {
  return key.size() == 1 || (!key.empty() && (static_cast<unsigned char>(key.front()) & 0x80) != 0);
}

std::string_view button_name(int button) {
  return button == 0 ? "left" : button == 1 ? "middle" : button == 2 ? "right" : "none";
}

json::object to_event(const PointerInput& input, double scale) {
  std::string_view type = input.event == PointerInput::Event::down ? "mousePressed"
                          : input.event == PointerInput::Event::up ? "mouseReleased"
                                                                   : "mouseMoved";
  bool is_move = input.event == PointerInput::Event::move;
  return {{"type", type},
          {"x", input.x * scale},
          {"y", input.y * scale},
          {"button", is_move ? "none" : button_name(input.button)},
          {"buttons", input.buttons},
          {"clickCount", is_move ? 0 : input.clicks},
          {"modifiers", input.modifiers}};
}

}  // namespace

void PageHands::move(const PointerInput& input) {
  const bool is_up = input.event == PointerInput::Event::up;
  if (input.button < 0 || input.button > 2 || (!is_up && screencast_.is_behind())) {
    return;
  }
  if (input.event == PointerInput::Event::down) {
    held_buttons_[input.button] = input;
  } else if (is_up && held_buttons_.erase(input.button) == 0) {
    return;
  }
  screencast_.tell_page("Input.dispatchMouseEvent",
                        to_event(input, screencast_.page_pixels_per_pixel()));
}

void PageHands::turn_wheel(const WheelInput& input) {
  if (screencast_.is_behind()) {
    return;
  }
  const double scale = screencast_.page_pixels_per_pixel();
  screencast_.tell_page("Input.dispatchMouseEvent", {{"type", "mouseWheel"},
                                                     {"x", input.x * scale},
                                                     {"y", input.y * scale},
                                                     {"deltaX", input.dx},
                                                     {"deltaY", input.dy},
                                                     {"modifiers", input.modifiers}});
}

void PageHands::press(const KeyInput& input) {
  bool is_too_much = input.down && (held_keys_.size() >= keys_held_max || screencast_.is_behind());
  if (is_too_much || input.key == "AltGraph" || (!input.down && !held_keys_.contains(input.code))) {
    return;
  }
  constexpr int level_three = modifier_control | modifier_alt;
  bool is_level_three = (input.modifiers & level_three) == level_three;
  bool is_shortcut = (input.modifiers & (level_three | modifier_meta)) != 0 && !is_level_three;
  std::string text = input.key == "Enter"                ? "\r"
                     : writes(input.key) && !is_shortcut ? input.key
                                                         : "";
  json::object event{
      {"type", !input.down    ? "keyUp"
               : text.empty() ? "rawKeyDown"
                              : "keyDown"},
      {"key", input.key},
      {"code", input.code},
      {"windowsVirtualKeyCode", windows_code(input.key)},
      {"autoRepeat", input.repeat},
      {"modifiers", is_level_three ? input.modifiers & ~level_three : input.modifiers}};
  if (input.down && !text.empty()) {
    event["text"] = text;
    event["unmodifiedText"] = text;
  }
  if (input.down) {
    held_keys_[input.code] = input;
  } else {
    held_keys_.erase(input.code);
  }
  screencast_.tell_page("Input.dispatchKeyEvent", std::move(event));
}

void PageHands::write(std::string_view text) {
  if (!screencast_.is_behind()) {
    screencast_.tell_page("Input.insertText", {{"text", text}});
  }
}

void PageHands::release() {
  while (!held_keys_.empty()) {
    KeyInput up = held_keys_.begin()->second;
    up.down = false;
    up.modifiers = 0;
    press(up);
  }
  while (!held_buttons_.empty()) {
    PointerInput up = held_buttons_.begin()->second;
    up.event = PointerInput::Event::up;
    up.buttons = 0;
    move(up);
  }
}

}  // namespace capstan
