#include "io/websocket.h"

#include <algorithm>
#include <array>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include "base/check.h"
#include "base/text.h"
#include "io/outcome.h"
#include "io/race.h"
#include "io/websocket_handshake.h"

namespace capstan {
namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t buffer_bytes = std::size_t{32} * 1024;
constexpr std::size_t handshake_bytes_max = std::size_t{16} * 1024;
constexpr std::uint16_t going_away = 1001;
constexpr std::uint16_t line_broken = 1006;
constexpr std::uint16_t try_again_later = 1013;

Error ended_error() { return Error(ErrorCode::unavailable, "the WebSocket has ended"); }

}  // namespace

// Who has it may send frames; the others wait.
class WebSocket::WritingTurn {
 public:
  explicit WritingTurn(WebSocket* websocket) : websocket_(*websocket) {
    CHECK(!websocket_.writing_);
    websocket_.writing_ = true;
  }
  ~WritingTurn() {
    websocket_.writing_ = false;
    websocket_.turn_is_free_.set();
  }
  WritingTurn(const WritingTurn&) = delete;
  WritingTurn& operator=(const WritingTurn&) = delete;

 private:
  WebSocket& websocket_;
};

WebSocket::WebSocket(asio::ip::tcp::socket socket, Clock& clock, WebSocketLimits limits,
                     WebSocketRole role)
    : socket_(std::move(socket)),
      clock_(clock),
      limits_(limits),
      role_(role),
      buffer_(buffer_bytes),
      decoder_(role, limits.message_bytes_max),
      last_heard_(clock.now()),
      turn_is_free_(socket_.get_executor()),
      hung_up_(socket_.get_executor()) {
  boost::system::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
}

WebSocket::~WebSocket() {
  if (ending_ || goodbye_said_) {
    return;
  }
  boost::system::error_code error;
  std::string payload = goodbye_payload(going_away, {});
  auto mask = make_mask();
  std::string frame = frame_header(WebSocketOpcode::close, payload.size(), mask);
  if (mask) {
    apply_mask(payload, *mask, 0);
  }
  socket_.write_some(asio::buffer(frame + payload), error);
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
  // Bytes that nobody has read would make the kernel reset the connection, goodbye and all.
  for (int round = 0; round < 16 && !error; ++round) {
    socket_.read_some(asio::buffer(buffer_), error);
  }
}

// --- Opening ---

Async<std::unique_ptr<WebSocket>> WebSocket::accept(asio::ip::tcp::socket socket, Clock* clock,
                                                    Handshake handshake, WebSocketLimits limits,
                                                    ByteBudget* budget) {
  std::unique_ptr<WebSocket> websocket(
      new WebSocket(std::move(socket), *clock, limits, WebSocketRole::server));
  if (budget != nullptr) {
    websocket->held_.emplace(*budget);
  }
  websocket->keep_received(handshake.received);
  std::string answer = handshake_answer(handshake.key, handshake.headers);
  auto outcome = co_await outcome_of(websocket->send_bytes(answer, {}));
  if (!outcome.ok()) {
    websocket->note_ending(line_broken, "the line broke");
    websocket->hang_up();
  }
  std::move(outcome).take();
  co_return websocket;
}

Async<std::unique_ptr<WebSocket>> WebSocket::connect(Executor executor, Clock* clock,
                                                     Address address, WebSocketLimits limits) {
  std::string late = "connecting to " + address.host + " took too long";
  Duration limit = limits.connecting_max;
  co_return co_await within(
      *clock, limit, dial(std::move(executor), clock, std::move(address), limits), std::move(late));
}

Async<std::unique_ptr<WebSocket>> WebSocket::dial(Executor executor, Clock* clock, Address address,
                                                  WebSocketLimits limits) {
  asio::ip::tcp::resolver resolver(executor);
  auto [unknown, endpoints] =
      co_await resolver.async_resolve(address.host, std::to_string(address.port), as_result);
  if (unknown) {
    throw Error(ErrorCode::unavailable, "no address is known for " + address.host,
                unknown.message());
  }
  asio::ip::tcp::socket socket(executor);
  auto [refused, endpoint] = co_await asio::async_connect(socket, endpoints, as_result);
  if (refused) {
    throw Error(ErrorCode::unavailable,
                "nobody answers at " + address.host + ":" + std::to_string(address.port),
                refused.message());
  }
  std::unique_ptr<WebSocket> websocket(
      new WebSocket(std::move(socket), *clock, limits, WebSocketRole::client));
  auto outcome = co_await outcome_of(websocket->shake_hands(std::move(address)));
  if (!outcome.ok()) {
    websocket->note_ending(line_broken, "the handshake failed");
    websocket->hang_up();
  }
  std::move(outcome).take();
  co_return websocket;
}

Async<> WebSocket::shake_hands(Address address) {
  std::string nonce(16, '\0');
  random_.fill(std::as_writable_bytes(std::span(nonce)));
  std::string key = encode_base64(nonce);
  std::string host = address.host + ":" + std::to_string(address.port);
  std::string request = handshake_request(host, address.target, key, address.headers);
  co_await send_bytes(request, {});
  std::string answer;
  auto [error, length] = co_await asio::async_read_until(
      socket_, asio::dynamic_buffer(answer, handshake_bytes_max), "\r\n\r\n", as_result);
  if (error) {
    throw Error(ErrorCode::unavailable, "the server hung up on the WebSocket handshake",
                error.message());
  }
  check_handshake_answer(answer, key);
  keep_received(std::string_view(answer).substr(length));
}

void WebSocket::keep_received(std::string_view bytes) {
  CHECK(bytes.size() <= buffer_.size());
  std::copy(bytes.begin(), bytes.end(), buffer_.begin());
  end_ = bytes.size();
}

// --- Reading ---

Async<std::optional<std::string>> WebSocket::read() {
  CHECK(!reading_);
  struct Reading {
    bool* flag;
    ~Reading() { *flag = false; }
  } reading{&reading_};
  reading_ = true;
  while (!ending_) {
    auto event = take_event();
    auto* message = event ? std::get_if<WebSocketMessage>(&*event) : nullptr;
    if (message != nullptr && !goodbye_said_) {
      co_return std::move(message->payload);
    }
    auto outcome = co_await outcome_of(event ? answer(std::move(*event)) : receive());
    // Whatever else fails, an answer that couldn't be sent, say, has ended the connection.
    if (!outcome.ok() && outcome.error().code() == ErrorCode::cancelled) {
      throw Error(outcome.error());
    }
  }
  co_return std::nullopt;
}

std::optional<WebSocketEvent> WebSocket::take_event() {
  std::string_view bytes(buffer_.data() + begin_, end_ - begin_);
  auto event = decoder_.take(bytes);
  begin_ = end_ - bytes.size();
  auto* message = event ? std::get_if<WebSocketMessage>(&*event) : nullptr;
  std::size_t held = message != nullptr ? message->payload.size() : decoder_.message_bytes();
  if (held_ && !held_->set(held)) {
    return WebSocketFault{try_again_later, "too many large messages are being read at the moment"};
  }
  return event;
}

Async<> WebSocket::receive() {
  while (begin_ == end_ && !ending_) {
    auto outcome = co_await outcome_of(within(clock_, limits_.ping_after, read_some(), "silence"));
    if (outcome.ok()) {
      continue;
    }
    if (outcome.error().code() != ErrorCode::deadline_exceeded) {
      throw Error(outcome.error());
    }
    if (begin_ == end_ && !ending_) {
      co_await ask_whether_there();
    }
  }
}

// What it read goes into members: there it is safe when the wait was given up in that moment.
Async<> WebSocket::read_some() {
  auto [error, count] = co_await socket_.async_read_some(asio::buffer(buffer_), as_result);
  begin_ = 0;
  end_ = count;
  if (!error) {
    last_heard_ = clock_.now();
  } else if (error != asio::error::operation_aborted) {
    note_ending(line_broken, "the line broke");
    hang_up();
  }
}

Async<> WebSocket::ask_whether_there() {
  if (clock_.now() - last_heard_ >= limits_.silence_max) {
    note_ending(line_broken, "the peer has fallen silent");
    hang_up();
  } else if (!writing_ && !goodbye_said_) {
    WritingTurn turn(this);
    co_await send_frame(WebSocketOpcode::ping, {});
  }
}

Async<> WebSocket::answer(WebSocketEvent event) {
  if (auto* ping = std::get_if<WebSocketPing>(&event)) {
    owed_pong_ = std::move(ping->payload);
    // Whoever is writing sends it next; waiting for them could be a circle, with a peer that
    // reads on only when we do.
    if (!writing_ && !goodbye_said_) {
      WritingTurn turn(this);
      co_await send_owed_pong();
    }
  } else if (auto* goodbye = std::get_if<WebSocketGoodbye>(&event)) {
    note_ending(goodbye->code, std::move(goodbye->reason));
    if (!goodbye_said_) {
      (void)co_await outcome_of(within(clock_, limits_.closing_max, say_goodbye(goodbye->code, {}),
                                       "the peer takes nothing"));
    }
    hang_up();
  } else if (auto* fault = std::get_if<WebSocketFault>(&event)) {
    note_ending(fault->code, fault->reason);
    (void)co_await outcome_of(within(clock_, limits_.closing_max,
                                     refuse(fault->code, fault->reason), "the peer goes on"));
    hang_up();
  }
}

// --- Writing ---

Async<> WebSocket::write(std::string message) {
  return send_message(WebSocketOpcode::text, std::move(message));
}

Async<> WebSocket::write_binary(std::string message) {
  return send_message(WebSocketOpcode::binary, std::move(message));
}

Async<> WebSocket::send_message(WebSocketOpcode kind, std::string message) {
  co_await wait_for_turn();
  WritingTurn turn(this);
  if (ending_ || goodbye_said_) {
    throw ended_error();
  }
  co_await send_frame(kind, std::move(message));
  co_await send_owed_pong();
}

Async<> WebSocket::wait_for_turn() {
  while (writing_) {
    turn_is_free_.clear();
    co_await turn_is_free_.wait();
  }
}

Async<> WebSocket::send_owed_pong() {
  while (owed_pong_) {
    std::string payload = std::move(*owed_pong_);
    owed_pong_.reset();
    co_await send_frame(WebSocketOpcode::pong, std::move(payload));
  }
}

// The caller has the turn. A failure is the connection's end: part of the frame may be out, and
// the rest never will be.
Async<> WebSocket::send_frame(WebSocketOpcode opcode, std::string payload) {
  auto mask = make_mask();
  std::string header = frame_header(opcode, payload.size(), mask);
  if (mask) {
    apply_mask(payload, *mask, 0);
  }
  auto outcome = co_await outcome_of(send_bytes(header, payload));
  if (outcome.ok()) {
    co_return;
  }
  note_ending(line_broken, "the line broke");
  hang_up();
  auto cancellation = co_await asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != asio::cancellation_type::none) {
    throw Error(ErrorCode::cancelled, "cancelled");
  }
  throw ended_error();
}

Async<> WebSocket::send_bytes(std::string_view first, std::string_view second) {
  while (!first.empty() || !second.empty()) {
    boost::system::error_code error;
    std::array<asio::const_buffer, 2> bytes = {asio::buffer(first), asio::buffer(second)};
    std::size_t count = socket_.write_some(bytes, error);
    if (error == asio::error::would_block) {
      co_await within(clock_, limits_.write_silence_max, wait_writable(), "the peer takes nothing");
      continue;
    }
    if (error) {
      throw Error(ErrorCode::unavailable, "the WebSocket's peer has gone", error.message());
    }
    std::size_t of_first = std::min(count, first.size());
    first.remove_prefix(of_first);
    second.remove_prefix(count - of_first);
  }
}

Async<> WebSocket::wait_writable() {
  co_await socket_.async_wait(asio::ip::tcp::socket::wait_write, asio::use_awaitable);
}

std::optional<WebSocketMask> WebSocket::make_mask() {
  if (role_ == WebSocketRole::server) {
    return std::nullopt;
  }
  WebSocketMask mask{};
  random_.fill(std::as_writable_bytes(std::span(mask)));
  return mask;
}

// --- Ending ---

Async<> WebSocket::close(std::uint16_t code, std::string reason) {
  if (!ending_) {
    (void)co_await outcome_of(
        within(clock_, limits_.closing_max, part(code, reason), "the peer doesn't say goodbye"));
  }
  note_ending(code, std::move(reason));
  hang_up();
}

// Says goodbye and waits for the peer's answer, which the reader meets.
Async<> WebSocket::part(std::uint16_t code, std::string reason) {
  co_await say_goodbye(code, std::move(reason));
  if (reading_) {
    co_await hung_up_.wait();
  } else {
    co_await read();
  }
}

Async<> WebSocket::say_goodbye(std::uint16_t code, std::string reason) {
  co_await wait_for_turn();
  WritingTurn turn(this);
  if (!goodbye_said_) {
    goodbye_said_ = true;
    co_await send_frame(WebSocketOpcode::close, goodbye_payload(code, reason));
  }
}

// Tells the peer what is wrong, and drops what it still sends so that it gets to read it.
Async<> WebSocket::refuse(std::uint16_t code, std::string reason) {
  co_await say_goodbye(code, std::move(reason));
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  while (socket_.is_open()) {
    co_await read_some();
  }
}

void WebSocket::note_ending(std::uint16_t code, std::string reason) {
  if (!ending_) {
    ending_ = Ending{code, std::move(reason)};
  }
}

void WebSocket::hang_up() {
  boost::system::error_code ignored;
  socket_.close(ignored);
  hung_up_.set();
}

}  // namespace capstan
