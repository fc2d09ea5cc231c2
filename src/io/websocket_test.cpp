#include "io/websocket.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "io/loop_test.h"
#include "io/race.h"
#include "io/scope.h"
#include "io/websocket_handshake.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr const char* key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr WebSocketMask mask = {1, 2, 3, 4};

using Received = std::vector<std::string>;

std::string frame(WebSocketOpcode opcode, std::string payload) {
  std::string header = frame_header(opcode, payload.size(), mask);
  apply_mask(payload, mask, 0);
  return header + payload;
}

// More than the kernel's buffers take, where it matters.
std::string many_bytes(std::size_t count) {
  std::string bytes;
  bytes.resize(count, 'x');
  return bytes;
}

Async<> read_all(WebSocket* websocket, Received* received) {
  while (auto message = co_await websocket->read()) {
    received->push_back(std::move(*message));
  }
}

Async<> echo_all(WebSocket* websocket) {
  while (auto message = co_await websocket->read()) {
    co_await websocket->write(std::move(*message));
  }
}

Async<> write_many(WebSocket* websocket, char letter, int count) {
  for (int i = 0; i < count; ++i) {
    co_await websocket->write(std::string(1 + static_cast<std::size_t>(i) * 5000, letter));
  }
}

Async<> write_one(WebSocket* websocket, std::string message, std::string* ending) {
  auto outcome = co_await outcome_of(websocket->write(std::move(message)));
  *ending = outcome.ok() ? "written" : outcome.error().message();
}

Async<> close_with(WebSocket* websocket, std::uint16_t code) {
  co_await websocket->close(code, "enough");
}

Async<> write_bytes(asio::ip::tcp::socket* socket, std::string bytes) {
  co_await asio::async_write(*socket, asio::buffer(bytes), as_result);
}

Async<> answer_dialler(asio::ip::tcp::acceptor* acceptor, Clock* clock, std::string answer,
                       std::unique_ptr<WebSocket>* accepted) {
  auto socket = co_await acceptor->async_accept(asio::use_awaitable);
  std::string request(4096, '\0');
  request.resize(co_await socket.async_read_some(asio::buffer(request), asio::use_awaitable));
  EXPECT_TRUE(request.starts_with("GET /devtools?x=1 HTTP/1.1\r\nhost: 127.0.0.1:"));
  EXPECT_NE(request.find("\r\nanchor-api-key: secret\r\n"), std::string::npos);
  if (!answer.empty()) {
    co_await write_bytes(&socket, answer);
    co_return;
  }
  constexpr std::string_view name = "sec-websocket-key: ";
  WebSocket::Handshake handshake;
  handshake.key = request.substr(request.find(name) + name.size(), 24);
  *accepted = co_await WebSocket::accept(std::move(socket), clock, std::move(handshake), {});
}

}  // namespace

// `server_` is the accepted side. Its peer is a bare socket, or a second WebSocket.
class WebSocketTest : public LoopTest {
 protected:
  Async<> open() {
    asio::ip::tcp::socket socket = co_await make_pair();
    WebSocket::Handshake handshake{key, {}, std::move(early_bytes_)};
    server_ = co_await WebSocket::accept(std::move(socket), &clock_, std::move(handshake), limits_,
                                         budget_);
    EXPECT_EQ(co_await read_bytes(handshake_answer(key, {}).size()), handshake_answer(key, {}));
  }

  Async<> open_both() {
    asio::ip::tcp::acceptor acceptor(executor(), {asio::ip::address_v4::loopback(), 0});
    Scope scope(executor(), "test");
    scope.spawn(answer_dialler(&acceptor, &clock_, "", &server_));
    client_ = co_await WebSocket::connect(executor(), &clock_,
                                          {"127.0.0.1",
                                           acceptor.local_endpoint().port(),
                                           "/devtools?x=1",
                                           {{"anchor-api-key", "secret"}}},
                                          limits_);
    co_await scope.drain();
  }

  Async<asio::ip::tcp::socket> make_pair() {
    asio::ip::tcp::acceptor acceptor(executor(), {asio::ip::address_v4::loopback(), 0});
    peer_.connect(acceptor.local_endpoint());
    co_return co_await acceptor.async_accept(asio::use_awaitable);
  }

  Async<> send(std::string bytes) { co_await write_bytes(&peer_, std::move(bytes)); }

  Async<std::string> read_bytes(std::size_t count) {
    std::string bytes(count, '\0');
    auto [error, read] = co_await asio::async_read(peer_, asio::buffer(bytes), as_result);
    (void)error;
    bytes.resize(read);
    co_return bytes;
  }

  // What comes until the end; "(reset)" marks one that isn't clean.
  Async<std::string> read_to_end() {
    std::string bytes;
    auto [error, count] = co_await asio::async_read(peer_, asio::dynamic_buffer(bytes), as_result);
    (void)count;
    co_return error == asio::error::eof ? bytes : bytes + "(reset)";
  }

  // The frames that a server sends.
  static std::string plain(WebSocketOpcode opcode, const std::string& payload) {
    return frame_header(opcode, payload.size(), std::nullopt) + payload;
  }
  static std::string goodbye(std::uint16_t code, std::string_view reason = {}) {
    return plain(WebSocketOpcode::close, goodbye_payload(code, reason));
  }

  WebSocketLimits limits_;
  ByteBudget* budget_ = nullptr;
  std::string early_bytes_;
  asio::ip::tcp::socket peer_{executor()};
  std::unique_ptr<WebSocket> server_;
  std::unique_ptr<WebSocket> client_;
};

ASYNC_TEST(WebSocketTest, reads_messages_however_they_come) {
  early_bytes_ = frame(WebSocketOpcode::text, "early");
  co_await open();
  EXPECT_EQ(co_await server_->read(), "early");
  co_await send(frame(WebSocketOpcode::text, "one") + frame(WebSocketOpcode::binary, "two"));
  EXPECT_EQ(co_await server_->read(), "one");
  EXPECT_EQ(co_await server_->read(), "two");
  Received received;
  Scope scope(executor(), "test");
  scope.spawn(read_all(server_.get(), &received));
  for (char byte : frame(WebSocketOpcode::text, "three")) {
    co_await send(std::string(1, byte));
    co_await settle();
  }
  EXPECT_EQ(received, Received{"three"});
  co_await scope.close();
}

ASYNC_TEST(WebSocketTest, answers_pings_while_it_reads) {
  co_await open();
  co_await send(frame(WebSocketOpcode::ping, "there?") + frame(WebSocketOpcode::pong, "unasked") +
                frame(WebSocketOpcode::text, "x"));
  EXPECT_EQ(co_await server_->read(), "x");
  EXPECT_EQ(co_await read_bytes(8), plain(WebSocketOpcode::pong, "there?"));
}

ASYNC_TEST(WebSocketTest, carries_large_messages_both_ways) {
  co_await open_both();
  Scope scope(executor(), "test");
  scope.spawn(echo_all(server_.get()));
  const std::string large = many_bytes(std::size_t{64} * 1024 * 1024);
  std::string ending;
  scope.spawn(write_one(client_.get(), large, &ending));
  EXPECT_TRUE(co_await client_->read() == large);
  EXPECT_EQ(ending, "written");
  co_await client_->close(1000, "");
  co_await scope.drain();
  EXPECT_EQ(server_->ending()->code, 1000);
}

ASYNC_TEST(WebSocketTest, writes_one_message_after_the_other) {
  co_await open_both();
  Scope scope(executor(), "test");
  scope.spawn(write_many(server_.get(), 'a', 50));
  scope.spawn(write_many(server_.get(), 'b', 50));
  std::size_t seen_a = 0;
  std::size_t seen_b = 0;
  for (int i = 0; i < 100; ++i) {
    auto message = co_await client_->read();
    std::size_t& seen = message->front() == 'a' ? seen_a : seen_b;
    EXPECT_EQ(*message, std::string(1 + seen++ * 5000, message->front()));
  }
  EXPECT_EQ(seen_a, 50U);
  EXPECT_EQ(seen_b, 50U);
  co_await scope.drain();
}

ASYNC_TEST(WebSocketTest, refuses_what_is_too_long_with_1009) {
  co_await open();
  co_await send(frame_header(WebSocketOpcode::binary, std::size_t{300} * 1024 * 1024, mask));
  peer_.shutdown(asio::ip::tcp::socket::shutdown_send);
  EXPECT_EQ(co_await server_->read(), std::nullopt);
  EXPECT_EQ(server_->ending()->code, 1009);
  EXPECT_EQ(co_await read_to_end(), goodbye(1009, "the message is longer than 268435456 bytes"));
}

// The peer learns why, although it has not read on before it had sent everything.
ASYNC_TEST(WebSocketTest, lets_the_sender_of_too_much_read_the_reason) {
  limits_.message_bytes_max = 1000;
  co_await open();
  Received received;
  Scope scope(executor(), "test");
  scope.spawn(read_all(server_.get(), &received));
  co_await send(frame(WebSocketOpcode::text, many_bytes(20'000'000)));
  std::string answer = co_await read_bytes(44);
  EXPECT_EQ(answer, goodbye(1009, "the message is longer than 1000 bytes").substr(0, 44));
  peer_.close();
  co_await scope.drain();
  EXPECT_TRUE(received.empty());
}

ASYNC_TEST(WebSocketTest, refuses_with_1013_what_there_is_no_room_for) {
  ByteBudget budget(1000);
  budget_ = &budget;
  ByteBudget::Share others(budget);
  others.set(600);
  co_await open();
  co_await send(frame(WebSocketOpcode::text, many_bytes(400)));
  EXPECT_EQ((co_await server_->read())->size(), 400U);
  EXPECT_FALSE(others.set(601));
  co_await send(frame(WebSocketOpcode::text, many_bytes(399)));
  EXPECT_EQ((co_await server_->read())->size(), 399U);
  EXPECT_TRUE(others.set(601));
  co_await send(frame(WebSocketOpcode::text, many_bytes(400)));
  peer_.shutdown(asio::ip::tcp::socket::shutdown_send);
  EXPECT_EQ(co_await server_->read(), std::nullopt);
  EXPECT_EQ(server_->ending()->code, 1013);
  server_.reset();
  EXPECT_TRUE(others.set(1000));
}

ASYNC_TEST(WebSocketTest, hangs_up_on_a_refused_peer_that_goes_on) {
  co_await open();
  Received received;
  Scope scope(executor(), "test");
  scope.spawn(read_all(server_.get(), &received));
  co_await send(std::string("\x81\x01x", 3) + frame(WebSocketOpcode::text, "more"));
  co_await settle();
  EXPECT_EQ(scope.size(), 1U);
  co_await let_pass(limits_.closing_max);
  EXPECT_EQ(scope.size(), 0U);
  EXPECT_EQ(server_->ending()->code, 1002);
  EXPECT_TRUE(received.empty());
}

ASYNC_TEST(WebSocketTest, says_goodbye_to_who_says_it) {
  co_await open();
  co_await send(frame(WebSocketOpcode::close, goodbye_payload(3001, "later")));
  EXPECT_EQ(co_await server_->read(), std::nullopt);
  EXPECT_EQ(server_->ending()->code, 3001);
  EXPECT_EQ(server_->ending()->reason, "later");
  EXPECT_EQ(co_await read_to_end(), goodbye(3001));
  auto outcome = co_await outcome_of(server_->write("too late"));
  EXPECT_EQ(outcome.error().code(), ErrorCode::unavailable);
  EXPECT_EQ(co_await server_->read(), std::nullopt);
}

ASYNC_TEST(WebSocketTest, closes_politely_with_and_without_a_reader) {
  for (bool has_reader : {true, false}) {
    co_await open_both();
    Received at_client;
    Received at_server;
    Scope scope(executor(), "test");
    scope.spawn(read_all(client_.get(), &at_client));
    co_await client_->write("on its way");
    if (has_reader) {
      scope.spawn(read_all(server_.get(), &at_server));
    }
    co_await server_->close(4000, "enough");
    co_await scope.drain();
    EXPECT_EQ(client_->ending()->code, 4000);
    EXPECT_EQ(client_->ending()->reason, "enough");
    EXPECT_TRUE(at_client.empty());
  }
}

ASYNC_TEST(WebSocketTest, drops_what_comes_after_its_goodbye) {
  for (bool has_reader : {true, false}) {
    peer_ = asio::ip::tcp::socket(executor());
    co_await open();
    Received received;
    Scope scope(executor(), "test");
    if (has_reader) {
      scope.spawn(read_all(server_.get(), &received));
    }
    scope.spawn(close_with(server_.get(), 1000));
    EXPECT_EQ(co_await read_bytes(10), goodbye(1000, "enough"));
    co_await send(frame(WebSocketOpcode::text, "late") +
                  frame(WebSocketOpcode::close, goodbye_payload(4321, "")));
    co_await scope.drain();
    EXPECT_TRUE(received.empty());
    EXPECT_EQ(server_->ending()->code, 4321) << "it didn't wait for the peer's goodbye";
  }
}

ASYNC_TEST(WebSocketTest, waits_for_a_goodbye_only_so_long) {
  co_await open();
  Scope scope(executor(), "test");
  scope.spawn(close_with(server_.get(), 1000));
  co_await settle();
  EXPECT_EQ(scope.size(), 1U);
  co_await let_pass(limits_.closing_max);
  EXPECT_EQ(scope.size(), 0U);
  EXPECT_EQ(co_await read_to_end(), goodbye(1000, "enough"));
}

ASYNC_TEST(WebSocketTest, tells_1001_when_it_is_dropped) {
  co_await open();
  co_await send(frame(WebSocketOpcode::text, "never read"));
  co_await settle();
  server_.reset();
  EXPECT_EQ(co_await read_to_end(), goodbye(1001));
}

ASYNC_TEST(WebSocketTest, asks_a_silent_peer_and_gives_it_up) {
  co_await open();
  Received received;
  Scope scope(executor(), "test");
  scope.spawn(read_all(server_.get(), &received));
  co_await let_pass(15s);
  EXPECT_EQ(co_await read_bytes(2), plain(WebSocketOpcode::ping, ""));
  co_await send(frame(WebSocketOpcode::pong, ""));
  for (int i = 0; i < 2; ++i) {
    co_await let_pass(15s);
    EXPECT_EQ(co_await read_bytes(2), plain(WebSocketOpcode::ping, ""));
    EXPECT_EQ(scope.size(), 1U);
  }
  co_await let_pass(15s);
  EXPECT_EQ(scope.size(), 0U);
  EXPECT_EQ(server_->ending()->code, 1006);
  EXPECT_EQ(co_await read_to_end(), "");
}

ASYNC_TEST(WebSocketTest, gives_up_a_peer_that_takes_nothing) {
  co_await open();
  Scope scope(executor(), "test");
  std::string first;
  std::string second;
  scope.spawn(write_one(server_.get(), many_bytes(20'000'000), &first));
  scope.spawn(write_one(server_.get(), "waits", &second));
  co_await let_pass(59s);
  EXPECT_EQ(scope.size(), 2U);
  co_await let_pass(1s);
  EXPECT_EQ(scope.size(), 0U);
  EXPECT_EQ(first, "the WebSocket has ended");
  EXPECT_EQ(second, "the WebSocket has ended");
}

// A pong that waited for the writer would make the reader wait, too, and both sides for ever.
ASYNC_TEST(WebSocketTest, reads_on_while_a_write_is_stuck) {
  co_await open();
  Scope scope(executor(), "test");
  Received received;
  std::string ending;
  scope.spawn(write_one(server_.get(), many_bytes(20'000'000), &ending));
  scope.spawn(read_all(server_.get(), &received));
  co_await send(frame(WebSocketOpcode::ping, "1") + frame(WebSocketOpcode::ping, "2") +
                frame(WebSocketOpcode::text, "on"));
  co_await settle();
  EXPECT_EQ(received, Received{"on"});
  std::string bytes = co_await read_bytes(10 + 20'000'000);
  EXPECT_EQ(co_await read_bytes(3), plain(WebSocketOpcode::pong, "2"));
  EXPECT_EQ(ending, "written");
  co_await scope.close();
}

ASYNC_TEST(WebSocketTest, loses_nothing_when_a_read_is_cancelled) {
  co_await open();
  Received received;
  for (int round = 0; round < 20; ++round) {
    Scope scope(executor(), "test");
    scope.spawn(read_all(server_.get(), &received));
    co_await send(frame(WebSocketOpcode::text, std::to_string(round)));
    for (int turn = 0; turn < round; ++turn) {
      co_await asio::post(executor(), asio::use_awaitable);
    }
    co_await scope.close();
  }
  co_await send(frame(WebSocketOpcode::close, ""));
  co_await read_all(server_.get(), &received);
  EXPECT_EQ(received.size(), 20U);
  for (std::size_t i = 0; i < received.size(); ++i) {
    EXPECT_EQ(received[i], std::to_string(i));
  }
}

ASYNC_TEST(WebSocketTest, ends_when_the_line_breaks) {
  co_await open();
  peer_.set_option(asio::socket_base::linger(true, 0));
  peer_.close();
  EXPECT_EQ(co_await server_->read(), std::nullopt);
  EXPECT_EQ(server_->ending()->code, 1006);
  co_await server_->close(1000, "");
}

ASYNC_TEST(WebSocketTest, connecting_tells_why_it_fails) {
  asio::ip::tcp::acceptor acceptor(executor(), {asio::ip::address_v4::loopback(), 0});
  WebSocket::Address address{"127.0.0.1",
                             acceptor.local_endpoint().port(),
                             "/devtools?x=1",
                             {{"anchor-api-key", "secret"}}};
  Scope scope(executor(), "test");
  scope.spawn(answer_dialler(&acceptor, &clock_, "HTTP/1.1 401 Unauthorized\r\n\r\nwho?", nullptr));
  auto refused = co_await outcome_of(WebSocket::connect(executor(), &clock_, address, limits_));
  EXPECT_NE(refused.error().message().find("401 Unauthorized' who?"), std::string::npos)
      << refused.error().message();
  co_await scope.drain();
  acceptor.close();
  auto nobody = co_await outcome_of(WebSocket::connect(executor(), &clock_, address, limits_));
  EXPECT_EQ(nobody.error().code(), ErrorCode::unavailable);
  EXPECT_TRUE(nobody.error().message().starts_with("nobody answers at 127.0.0.1:"));
}

}  // namespace capstan
