#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "base/byte_budget.h"
#include "base/random.h"
#include "io/clock.h"
#include "io/event.h"
#include "io/websocket_frames.h"

namespace capstan {

struct WebSocketLimits {
  // DevTools' own bound for one message; a screenshot of a long page comes close.
  std::size_t message_bytes_max = std::size_t{256} * 1024 * 1024;
  Duration ping_after = std::chrono::seconds(15);         // nothing heard for so long: ask
  Duration silence_max = std::chrono::seconds(45);        // three pings unanswered: gone
  Duration write_silence_max = std::chrono::seconds(60);  // a reader that takes nothing
  Duration closing_max = std::chrono::seconds(2);         // for the peer to say goodbye, too
  Duration connecting_max = std::chrono::seconds(10);     // connect() with its handshake
};

// One WebSocket connection (RFC 6455), accepted or dialled. No extensions, no subprotocols.
//
// Its owner ends it in one of two ways: by awaiting close(), or by destruction, which tells the
// peer 1001 (going away) if that is possible at once, and hangs up. Nobody may be inside a call
// then. Cancelling a read() loses nothing; cancelling a write() may break the connection.
class WebSocket {
 public:
  // What is left of a client's handshake once it has been read and found sound.
  struct Handshake {
    std::string key;                                           // sec-websocket-key
    std::vector<std::pair<std::string, std::string>> headers;  // for the 101 answer
    std::string received;                                      // what came behind the handshake
  };
  // Answers 101. What is read of messages comes out of `budget`, if there is one, and is given back
  // at the next read(); it outlives the WebSocket. Throws unavailable if the client has gone.
  static Async<std::unique_ptr<WebSocket>> accept(asio::ip::tcp::socket socket, Clock* clock,
                                                  Handshake handshake, WebSocketLimits limits,
                                                  ByteBudget* budget = nullptr);

  struct Address {
    std::string host;
    std::uint16_t port = 0;
    std::string target = "/";
    std::vector<std::pair<std::string, std::string>> headers;
  };
  // Dials. Throws unavailable if nobody answers, and if the answer isn't 101, with its status and
  // the beginning of its body in the message.
  static Async<std::unique_ptr<WebSocket>> connect(Executor executor, Clock* clock, Address address,
                                                   WebSocketLimits limits);

  ~WebSocket();
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;

  // The next whole message, text or binary; nothing once the connection has ended, and then
  // ending() says how. One reader at a time. Also answers pings, and asks a silent peer whether it
  // is still there: while nobody reads, nobody asks.
  Async<std::optional<std::string>> read();

  // Sends one text message, which must be UTF-8. Returns when the kernel has taken all of it.
  // Calls from several coroutines go one after the other. Throws unavailable once the connection
  // has ended or is being closed.
  Async<> write(std::string message);
  // The same with a binary message, of any bytes.
  Async<> write_binary(std::string message);

  // Says goodbye and waits for the peer's, at most `closing_max`; then hangs up. Never throws.
  // Messages that still arrive are dropped; a reader gets nothing.
  Async<> close(std::uint16_t code, std::string reason);

  struct Ending {
    std::uint16_t code;  // the peer's, or ours if we found fault first; 1006 for a broken line
    std::string reason;
  };
  const std::optional<Ending>& ending() const { return ending_; }

 private:
  class WritingTurn;

  WebSocket(asio::ip::tcp::socket socket, Clock& clock, WebSocketLimits limits, WebSocketRole role);
  static Async<std::unique_ptr<WebSocket>> dial(Executor executor, Clock* clock, Address address,
                                                WebSocketLimits limits);
  Async<> shake_hands(Address address);
  std::optional<WebSocketEvent> take_event();
  void keep_received(std::string_view bytes);

  Async<> receive();
  Async<> read_some();
  Async<> ask_whether_there();
  Async<> answer(WebSocketEvent event);
  Async<> answer_ping();

  Async<> send_message(WebSocketOpcode kind, std::string message);
  Async<> wait_for_turn();
  Async<> send_frame(WebSocketOpcode opcode, std::string payload);
  Async<> send_bytes(std::string_view first, std::string_view second);
  Async<> wait_writable();
  Async<> send_owed_pong();
  std::optional<WebSocketMask> make_mask();

  Async<> part(std::uint16_t code, std::string reason);
  Async<> say_goodbye(std::uint16_t code, std::string reason);
  Async<> refuse(std::uint16_t code, std::string reason);
  void note_ending(std::uint16_t code, std::string reason);
  void hang_up();

  asio::ip::tcp::socket socket_;
  Clock& clock_;
  WebSocketLimits limits_;
  WebSocketRole role_;
  SystemRandom random_;  // for a client's masks

  // Incoming: [begin_, end_) of the buffer has not been decoded yet.
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  FrameDecoder decoder_;
  std::optional<ByteBudget::Share> held_;  // of the message that is being read, or was read last
  SteadyTime last_heard_;
  bool reading_ = false;

  // Outgoing.
  bool writing_ = false;  // somebody has the turn
  Event turn_is_free_;
  std::optional<std::string> owed_pong_;

  // The end.
  bool goodbye_said_ = false;
  std::optional<Ending> ending_;
  Event hung_up_;
};

}  // namespace capstan
