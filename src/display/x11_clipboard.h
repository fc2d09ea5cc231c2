#pragma once

#include <string>

#include "display/x11_connection.h"

namespace capstan {

// The clipboard of a screen, as far as text is put there: who pastes asks us for it (Inter-Client
// Communication Conventions Manual, chapter 2). Owned by the screen.
class X11Clipboard {
 public:
  X11Clipboard(const Executor& executor, X11Connection& connection)
      : connection_(connection), fetched_(executor) {}

  // Makes a window of that id.
  Async<> prepare(x11::Id window, x11::Id root);
  // Has this text from now on, until somebody else copies something.
  void offer(std::string text);
  // Waits until the text has been fetched.
  Async<> fetched() { return fetched_.wait(); }
  void take(const x11::SelectionRequest& request);

 private:
  X11Connection& connection_;
  x11::Id window_ = 0;
  x11::Atom clipboard_ = 0;
  x11::Atom targets_ = 0;
  x11::Atom utf8_ = 0;
  std::string text_;
  Event fetched_;
};

}  // namespace capstan
