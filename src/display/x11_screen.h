#pragma once

#include <memory>

#include "base/error.h"
#include "display/picture_source.h"
#include "display/x11_clipboard.h"
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
  Async<> changed(std::int64_t pixels) override;
  Async<Change> update() override;

  // Waits until the screen can be used. Throws unavailable if it can't.
  Async<> ready();

  // What these do is dropped once the display has gone, and what presses or moves something while
  // it is far behind; who lets go of something has pressed it before, so that is bounded, too.
  bool is_behind() const { return connection_.is_full(); }
  void move_pointer(int x, int y);
  void press(x11::Press kind, std::uint8_t code);
  void map_key(std::uint8_t keycode, std::uint32_t symbol);
  // Waits until the display has done what it was asked for, and has told its other clients.
  Async<> settled();
  // Waits until the client whose window has the keyboard has taken all that was pressed; not for
  // one that doesn't tell that in time.
  Async<> presses_taken();
  X11Clipboard& clipboard() { return clipboard_; }
  // A request of the core protocol without a reply, such as one that draws.
  void draw(std::string_view request) { connection_.send(request); }
  const x11::Setup& setup() const { return setup_; }

 private:
  Async<> prepare();
  Async<x11::Extension> extension(std::string name);
  Async<Change> fetch();
  void take_event(const x11::Message& event);
  Async<std::optional<x11::Id>> window_with_keyboard();
  Async<> pong_of(std::uint32_t number);

  Clock& clock_;
  const Picture& picture_;
  X11Connection connection_;
  X11Clipboard clipboard_;
  x11::Setup setup_;
  x11::Extension shm_;
  x11::Extension damage_;
  x11::Extension fixes_;
  x11::Extension test_;
  Area damage_area_;         // since the last update()
  bool lost_track_ = false;  // of what has changed
  Event damaged_;
  x11::PingAtoms ping_atoms_;
  std::uint32_t last_ping_ = 0;
  std::uint32_t last_pong_ = 0;
  Event ponged_;
  Event prepared_;
  std::optional<Error> failure_;
};

}  // namespace capstan
