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
  // Sends what was asked for and reads what the server says, until it has gone or sends nonsense.
  // `on_event` is called with each event.
  Async<> live(std::function<void(const x11::Message&)> on_event);

  // Sends a request that has no reply, soon and in its turn. Should it fail, nobody is told; once
  // the connection has ended it is dropped.
  void send(std::string_view request);
  // Whether so much waits to be sent that nobody should add what can be left out.
  bool is_full() const { return unsent_.size() >= unsent_bytes_max; }
  // The same with a descriptor, before anything else was sent. Throws unavailable if it can't be.
  void send_passing(std::string_view request, const Fd& passed);
  // Sends a request and waits for its reply. Throws unavailable for an error instead of it, and
  // when the connection ends.
  Async<std::string> call(std::string request);
  // The number of a name. Throws as call() does.
  Async<x11::Atom> atom(std::string name);

 private:
  struct Call {
    Call(const Executor& executor, std::uint16_t its_sequence)
        : sequence(its_sequence), answered(executor) {}
    const std::uint16_t sequence;
    Event answered;
    std::optional<x11::Message> answer;  // nothing if there will be none
  };
  static constexpr std::size_t unsent_bytes_max = std::size_t{1} << 20;
  Async<> send_requests();
  Async<> receive(std::function<void(const x11::Message&)> on_event);
  void take(x11::Message message);
  void end();

  Executor executor_;
  Stream stream_;
  x11::MessageReader reader_;
  std::string unsent_;
  Event has_unsent_;
  std::uint16_t sequence_ = 0;
  std::deque<std::shared_ptr<Call>> calls_;
  bool ended_ = false;
};

}  // namespace capstan
