#include "display/screen_hands.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "display/x11_keys.h"
#include "io/race.h"

namespace capstan {
namespace {

// How far Chromium scrolls for one click of the wheel.
constexpr double wheel_click_pixels = 53;
constexpr int wheel_clicks_max = 50;  // at once
constexpr auto paste_patience = std::chrono::seconds(1);

constexpr std::uint8_t button_number(int dom_button) {
  return static_cast<std::uint8_t>(dom_button + 1);
}

// Of text that is UTF-8.
std::u32string characters_of(std::string_view text) {
  std::u32string characters;
  for (char piece : text) {
    auto byte = static_cast<unsigned char>(piece);
    if ((byte & 0xc0) == 0x80 && !characters.empty()) {
      characters.back() = characters.back() << 6 | (byte & 0x3f);
    } else {
      int kept = byte < 0x80 ? 0x7f : byte < 0xe0 ? 0x1f : byte < 0xf0 ? 0x0f : 0x07;
      characters.push_back(static_cast<char32_t>(byte & kept));
    }
  }
  return characters;
}

// Of keys that write nothing, the modifiers that stand in the way of writing.
bool keeps_from_writing(std::uint8_t keycode) {
  return keycode == x11::key_at("ControlLeft") || keycode == x11::key_at("ControlRight") ||
         keycode == x11::key_at("AltLeft") || keycode == x11::key_at("AltRight");
}

bool is_lock_or_modifier(std::string_view key) {
  constexpr std::array<std::string_view, 7> keys{"Shift",    "Control", "Alt",       "Meta",
                                                 "CapsLock", "NumLock", "ScrollLock"};
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

}  // namespace

void ScreenHands::move(const PointerInput& input) {
  const PictureSize size = screen_.setup().size;
  screen_.move_pointer(std::clamp(input.x, 0, size.width - 1),
                       std::clamp(input.y, 0, size.height - 1));
  if (input.event == PointerInput::Event::move || input.button < 0 || input.button > 2) {
    return;
  }
  std::uint8_t button = button_number(input.button);
  if (input.event == PointerInput::Event::down && screen_.is_behind()) {
    return;
  }
  if (input.event == PointerInput::Event::down) {
    held_buttons_.insert(button);
    screen_.press(x11::Press::button_down, button);
  } else if (held_buttons_.erase(button) > 0) {
    screen_.press(x11::Press::button_up, button);
  }
}

void ScreenHands::click(std::uint8_t button, int times) {
  for (int i = 0; i < std::min(times, wheel_clicks_max) && !screen_.is_behind(); ++i) {
    screen_.press(x11::Press::button_down, button);
    screen_.press(x11::Press::button_up, button);
  }
}

void ScreenHands::turn_wheel(const WheelInput& input) {
  constexpr std::uint8_t up = 4;
  constexpr std::uint8_t down = 5;
  constexpr std::uint8_t left = 6;
  constexpr std::uint8_t right = 7;
  move({.x = input.x, .y = input.y});
  wheel_dx_ += input.dx / wheel_click_pixels;
  wheel_dy_ += input.dy / wheel_click_pixels;
  auto whole_dx = static_cast<int>(std::clamp(wheel_dx_, -1e6, 1e6));
  auto whole_dy = static_cast<int>(std::clamp(wheel_dy_, -1e6, 1e6));
  wheel_dx_ -= std::trunc(wheel_dx_);
  wheel_dy_ -= std::trunc(wheel_dy_);
  click(whole_dy > 0 ? down : up, std::abs(whole_dy));
  click(whole_dx > 0 ? right : left, std::abs(whole_dx));
}

void ScreenHands::hold(std::uint8_t keycode, bool down) {
  if (down) {
    held_keys_.insert(keycode);
    screen_.press(x11::Press::key_down, keycode);
  } else if (held_keys_.erase(keycode) > 0) {
    screen_.press(x11::Press::key_up, keycode);
  }
}

void ScreenHands::lift(const std::string& code) {
  auto writing = writing_.find(code);
  if (writing != writing_.end()) {
    hold(writing->second, false);
    writing_.erase(writing);
  } else if (auto keycode = x11::key_at(code)) {
    hold(*keycode, false);
  }
}

void ScreenHands::press(const KeyInput& input) {
  // What the level-three key writes comes as a character.
  bool is_too_much = input.down && writing_.size() + held_keys_.size() >= keys_held_max;
  is_too_much = is_too_much || (input.down && screen_.is_behind());
  if (is_too_much || input.key == "AltGraph") {
    return;
  }
  if (!input.down) {
    lift(input.code);
    return;
  }
  if (input.repeat && is_lock_or_modifier(input.key)) {
    return;
  }
  lift(input.code);  // a screen takes no notice of a key that is pressed when it is down
  std::u32string text = characters_of(input.key);
  if (text.size() == 1) {
    bool is_level_three =
        (input.modifiers & modifier_control) != 0 && (input.modifiers & modifier_alt) != 0;
    bool is_shortcut = (input.modifiers & (modifier_control | modifier_alt | modifier_meta)) != 0 &&
                       !is_level_three;
    auto key = x11::key_writing(text.front());
    if (is_shortcut && key) {
      writing_[input.code] = key->keycode;
      hold(key->keycode, true);
    } else {
      write_character(input.code, text.front());
    }
  } else if (auto keycode = x11::key_at(input.code)) {
    hold(*keycode, true);
  }
}

// Presses the key that writes it, with the shift that it needs there, whatever the person holds to
// write it at home.
void ScreenHands::write_character(const std::string& code, char32_t character) {
  auto key = x11::key_writing(character);
  std::uint8_t keycode = key ? key->keycode : spare_key_for(character);
  std::set<std::uint8_t> in_the_way;
  for (std::uint8_t held : held_keys_) {
    bool is_shift = held == x11::shift_key || held == x11::key_at("ShiftRight");
    if (keeps_from_writing(held) || (is_shift && key && !key->shift)) {
      in_the_way.insert(held);
      screen_.press(x11::Press::key_up, held);
    }
  }
  bool has_shift = held_keys_.contains(x11::shift_key) ||
                   held_keys_.contains(x11::key_at("ShiftRight").value_or(0));
  bool needs_shift = key && key->shift && !has_shift;
  if (needs_shift) {
    screen_.press(x11::Press::key_down, x11::shift_key);
  }
  hold(keycode, true);
  writing_[code] = keycode;
  if (needs_shift) {
    screen_.press(x11::Press::key_up, x11::shift_key);
  }
  for (std::uint8_t held : in_the_way) {
    screen_.press(x11::Press::key_down, held);
  }
}

std::uint8_t ScreenHands::spare_key_for(char32_t character) {
  auto known = std::find(spare_keys_.begin(), spare_keys_.end(), character);
  auto index = static_cast<std::size_t>(known - spare_keys_.begin());
  if (known == spare_keys_.end()) {
    index = next_spare_;
    next_spare_ = (next_spare_ + 1) % spare_keys_.size();
    spare_keys_.at(index) = character;
    screen_.map_key(static_cast<std::uint8_t>(first_spare_key + index), x11::symbol_of(character));
  }
  return static_cast<std::uint8_t>(first_spare_key + index);
}

void ScreenHands::write(std::string_view text) {
  for (char32_t character : characters_of(text)) {
    if (screen_.is_behind()) {
      return;
    }
    if (character == U'\n') {
      press({.down = true, .code = "Enter", .key = "Enter"});
      press({.down = false, .code = "Enter", .key = "Enter"});
      continue;
    }
    write_character("", character);
    press({.down = false, .code = "", .key = ""});
  }
}

// The text must stay on the clipboard until it was fetched, or who comes next would paste it twice.
Async<bool> ScreenHands::paste(std::string text) {
  release();
  screen_.clipboard().offer(std::move(text));
  press({.down = true, .code = "ControlLeft", .key = "Control"});
  press({.down = true, .code = "KeyV", .key = "v", .modifiers = modifier_control});
  press({.down = false, .code = "KeyV", .key = "v", .modifiers = modifier_control});
  press({.down = false, .code = "ControlLeft", .key = "Control"});
  auto fetched = co_await outcome_of(
      within(clock_, paste_patience, screen_.clipboard().fetched(), "nobody wants what is pasted"));
  co_return true;
}

void ScreenHands::release() {
  for (std::uint8_t keycode : held_keys_) {
    screen_.press(x11::Press::key_up, keycode);
  }
  for (std::uint8_t button : held_buttons_) {
    screen_.press(x11::Press::button_up, button);
  }
  held_keys_.clear();
  writing_.clear();
  held_buttons_.clear();
}

}  // namespace capstan
