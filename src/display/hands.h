#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "io/async.h"

namespace capstan {

// Which modifier keys are held, as in DevTools' Input domain.
enum : int { modifier_alt = 1, modifier_control = 2, modifier_meta = 4, modifier_shift = 8 };

struct PointerInput {
  enum class Event { move, down, up };
  Event event = Event::move;
  int x = 0;  // in the picture's pixels
  int y = 0;
  int button = 0;   // 0 left, 1 middle, 2 right
  int buttons = 0;  // that are held: bits 1 left, 2 right, 4 middle
  int clicks = 1;
  int modifiers = 0;
};

struct WheelInput {
  int x = 0;
  int y = 0;
  double dx = 0;  // CSS pixels, to the right
  double dy = 0;  // and down
  int modifiers = 0;
};

// A key as the DOM names it (UI Events): `code` is where it lies, `key` what it means.
struct KeyInput {
  bool down = false;
  std::string code;
  std::string key;
  bool repeat = false;
  int modifiers = 0;
};

// Ten fingers, generously counted: who holds more keys than that presses no further one.
inline constexpr std::size_t keys_held_max = 32;

// A person's hands at a browser. They do nothing once its display has gone, and never throw, so
// that who leaves can let go of everything in a destructor.
class Hands {
 public:
  virtual ~Hands() = default;
  virtual void move(const PointerInput& input) = 0;
  virtual void turn_wheel(const WheelInput& input) = 0;
  virtual void press(const KeyInput& input) = 0;
  // Writes where the focus is, as if on a keyboard.
  virtual void write(std::string_view text) = 0;
  // Puts the text on the browser's own clipboard and pastes it where the focus is, as a person
  // does. False, with nothing done, for hands that have no clipboard.
  virtual Async<bool> paste(std::string text) = 0;
  // Lets go of every key and button that is held.
  virtual void release() = 0;
  // Waits until all that they did has come so far into the browser that what it is told by DevTools
  // comes after that, but for no longer than a page may take over it.
  virtual Async<> arrived() = 0;
};

}  // namespace capstan
