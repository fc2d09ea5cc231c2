#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "display/x11_messages.h"
#include "io/event.h"
#include "io/stream.h"

namespace capstan {

// A connection to an X server. Its owner runs live() in a scope, and ends that before destroying
// it. The server is foreign: it may answer nothing, which is for callers to bound, or nonsense,
// which ends the connection.
class X11Connection {
 public:
  X11Connection(Executor executor, Fd socket);

  // First of all. Throws unavailable if it isn't answered as by an X server.
  Async<x11::Setup> shake_hands();
  // Reads what the server sends, until it has gone or sends nonsense. `on_event` is called with
  // each event.
  Async<> live(std::function<void(const x11::Message&)> on_event);
  bool has_ended() const { return ended_; }

  // Sends a request that has no reply. Should it fail, nobody is told. Throws unavailable once the
  // connection has ended.
  void send(std::string_view request, const Fd* passed = nullptr);
  // Sends a request and waits for its reply. Throws unavailable for an error instead of it, and
  // when the connection ends.
  Async<std::string> call(std::string request);

 private:
  struct Call {
    Call(const Executor& executor, std::uint16_t its_sequence)
        : sequence(its_sequence), answered(executor) {}
    const std::uint16_t sequence;
    Event answered;
    std::optional<x11::Message> answer;  // nothing if there will be none
  };
  void take(x11::Message message);
  void end();

  Executor executor_;
  Stream stream_;
  x11::MessageReader reader_;
  std::uint16_t sequence_ = 0;
  std::deque<std::shared_ptr<Call>> calls_;
  bool ended_ = false;
};

}  // namespace capstan
