#pragma once

#include <memory>

#include "base/error.h"
#include "display/picture_source.h"
#include "display/x11_connection.h"
#include "io/clock.h"

namespace capstan {

// A screen of an X server: tells what changes on it, draws that into a picture in shared memory,
// and takes a person's hands' place at it.
class X11Screen final : public PictureSource {
 public:
  // `picture` has the screen's size, and outlives it.
  X11Screen(Executor executor, Clock& clock, Fd socket, const Picture& picture);

  Async<> live() override;
  void look(std::optional<Duration>) override {}  // what nobody asks for, the server doesn't tell
  Async<> changed() override { return damaged_.wait(); }
  Async<Change> update() override;

  // Waits until the screen can be used. Throws unavailable if it can't.
  Async<> ready();

  // These throw unavailable once the display has gone.
  void move_pointer(int x, int y);
  void press(x11::Press kind, std::uint8_t code);
  void map_key(std::uint8_t keycode, std::uint32_t symbol);
  // A request of the core protocol without a reply, such as one that draws.
  void draw(std::string_view request) { connection_.send(request); }
  const x11::Setup& setup() const { return setup_; }

 private:
  Async<> prepare();
  Async<x11::Extension> extension(std::string name);
  Async<Change> fetch();

  Clock& clock_;
  const Picture& picture_;
  X11Connection connection_;
  x11::Setup setup_;
  x11::Extension shm_;
  x11::Extension damage_;
  x11::Extension fixes_;
  x11::Extension test_;
  Event damaged_;
  Event prepared_;
  std::optional<Error> failure_;
};

}  // namespace capstan
