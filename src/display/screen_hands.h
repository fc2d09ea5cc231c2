#pragma once

#include <array>
#include <map>
#include <set>
#include <string>

#include "display/hands.h"
#include "display/x11_screen.h"

namespace capstan {

// Hands at a screen of an X server, which reach whatever is there: pages, the address bar, dialogs
// and menus. What a person's own keyboard writes is written, whatever its layout: a character that
// the screen's keyboard hasn't got is given a key of its own.
class ScreenHands final : public Hands {
 public:
  ScreenHands(Clock& clock, X11Screen& screen) : clock_(clock), screen_(screen) {}

  void move(const PointerInput& input) override;
  void turn_wheel(const WheelInput& input) override;
  void press(const KeyInput& input) override;
  void release() override;
  Async<> arrived() override { return screen_.presses_taken(); }

  void write(std::string_view text) override;
  Async<bool> paste(std::string text) override;

 private:
  void lift(const std::string& code);
  void write_character(const std::string& code, char32_t character);
  void hold(std::uint8_t keycode, bool down);
  std::uint8_t spare_key_for(char32_t character);
  void click(std::uint8_t button, int times);

  Clock& clock_;
  X11Screen& screen_;
  std::set<std::uint8_t> held_keys_;
  std::map<std::string, std::uint8_t> writing_;  // by the place of the person's key
  std::set<std::uint8_t> held_buttons_;
  double wheel_dx_ = 0;  // what was turned and did not make a whole click
  double wheel_dy_ = 0;

  // The keys that are given to other characters, in turn.
  static constexpr std::uint8_t first_spare_key = 200;
  std::array<char32_t, 32> spare_keys_{};
  std::size_t next_spare_ = 0;
};

}  // namespace capstan
