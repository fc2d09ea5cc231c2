#pragma once

#include "display/hands.h"
#include "display/screencast.h"

namespace capstan {

// Hands at the page that a screencast shows, by DevTools' Input domain. What they do while the page
// is behind is lost, but for letting go.
class PageHands final : public Hands {
 public:
  explicit PageHands(Screencast& screencast) : screencast_(screencast) {}

  void move(const PointerInput& input) override;
  void turn_wheel(const WheelInput& input) override;
  void press(const KeyInput& input) override;
  void write(std::string_view text) override;
  Async<bool> paste(std::string) override { co_return false; }
  void release() override;
  Async<> arrived() override { return screencast_.pages_have_done(); }

 private:
  Screencast& screencast_;
  std::map<std::string, KeyInput> held_keys_;  // by place
  std::map<int, PointerInput> held_buttons_;
};

}  // namespace capstan
