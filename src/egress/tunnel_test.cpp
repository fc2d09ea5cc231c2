#include "egress/tunnel.h"

#include <random>

#include "egress/gateway_test.h"
#include "io/scope.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

// Noise that shows when a byte is lost, doubled or out of order.
std::string noise(std::size_t bytes) {
  std::mt19937_64 random(7);
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i + 8 <= bytes; i += 8) {
    std::uint64_t word = random();
    text.replace(i, 8, reinterpret_cast<const char*>(&word), 8);
  }
  return text;
}

Async<> send_counting(RawClient* client, const std::string* bytes, std::size_t* sent) {
  constexpr std::size_t piece = std::size_t{64} * 1024;
  while (*sent < bytes->size()) {
    std::string next = bytes->substr(*sent, piece);
    std::size_t count = next.size();
    co_await client->send(std::move(next));
    *sent += count;
  }
  client->end_sending();
}

}  // namespace

class TunnelTest : public GatewayTest {
 public:
  Async<> send_all(RawClient* client, const std::string* bytes) {
    co_await client->send(*bytes);
    client->end_sending();
  }
  // Waits until a sender makes no more progress.
  Async<> await_standstill(const std::size_t* sent) {
    std::size_t before = 0;
    do {
      before = *sent;
      co_await settle();
    } while (*sent != before);
  }
};

ASYNC_TEST(TunnelTest, carries_bytes_both_ways_at_once) {
  open();
  auto [client, server] = co_await make_tunnel();
  const std::string up = noise(3'000'000);
  const std::string down = noise(5'000'000);
  Scope scope(executor(), "test");
  scope.spawn(send_all(&client, &up));
  scope.spawn(send_all(&server, &down));
  std::string got_down;
  auto read = [](RawClient* from, std::string* into) -> Async<> {
    *into = co_await from->read_to_end();
  };
  scope.spawn(read(&client, &got_down));
  EXPECT_TRUE(co_await server.read_to_end() == up);
  co_await scope.drain();
  EXPECT_TRUE(got_down == down);
  co_await settle();
  EXPECT_EQ(gateway_->connection_count(), 0U) << "both directions have ended";
  EXPECT_EQ(gateway_->bytes(), up.size() + down.size());
  co_await gateway_->close();
}

ASYNC_TEST(TunnelTest, passes_on_what_comes_with_the_request) {
  open();
  RawClient client = connect();
  co_await client.send("CONNECT " + server_.place() + " HTTP/1.1\r\nHost: x\r\n\r\nhello");
  RawClient server = co_await server_.accept();
  EXPECT_EQ(co_await server.read_bytes(5), "hello");
  co_await gateway_->close();
}

ASYNC_TEST(TunnelTest, passes_on_an_end_and_goes_on_in_the_other_direction) {
  open();
  auto [client, server] = co_await make_tunnel();
  co_await client.send("question");
  client.end_sending();
  EXPECT_EQ(co_await server.read_to_end(), "question");
  co_await server.send("answer");
  EXPECT_EQ(co_await client.read_bytes(6), "answer");
  server.end_sending();
  EXPECT_EQ(co_await client.read_to_end(), "");
  co_await settle();
  EXPECT_EQ(gateway_->connection_count(), 0U);

  auto [other_client, other_server] = co_await make_tunnel();
  other_server.end_sending();
  EXPECT_EQ(co_await other_client.read_to_end(), "");
  co_await other_client.send("still here");
  EXPECT_EQ(co_await other_server.read_bytes(10), "still here");
  co_await gateway_->close();
}

ASYNC_TEST(TunnelTest, passes_on_a_reset) {
  open();
  auto [client, server] = co_await make_tunnel();
  server.reset();
  EXPECT_EQ(co_await client.read_to_end(), "(reset)");
  auto [other_client, other_server] = co_await make_tunnel();
  other_client.reset();
  EXPECT_EQ(co_await other_server.read_to_end(), "(reset)");
  co_await settle();
  EXPECT_EQ(gateway_->connection_count(), 0U);
  co_await gateway_->close();
}

ASYNC_TEST(TunnelTest, holds_a_sender_back_whose_receiver_does_not_read) {
  open();
  auto [client, server] = co_await make_tunnel();
  // Far more than the kernel's buffers hold.
  const std::string bytes = noise(64'000'000);
  std::size_t sent = 0;
  Scope scope(executor(), "test");
  scope.spawn(send_counting(&server, &bytes, &sent));
  co_await await_standstill(&sent);
  EXPECT_GT(sent, 0U);
  EXPECT_LT(sent, 32'000'000U);
  EXPECT_TRUE(co_await client.read_to_end() == bytes);
  co_await scope.close();
  co_await gateway_->close();
}

ASYNC_TEST(TunnelTest, ends_after_a_long_silence_but_not_before) {
  open();
  auto [client, server] = co_await make_tunnel();
  for (int i = 0; i < 3; ++i) {
    co_await let_run_out(limits_.silence_max - 1min);
    co_await client.send("x");
    EXPECT_EQ(co_await server.read_bytes(1), "x");
  }
  co_await let_run_out(limits_.silence_max);
  EXPECT_EQ(co_await client.read_to_end(), "(reset)");
  co_await gateway_->close();
}

ASYNC_TEST(TunnelTest, is_less_patient_once_one_side_has_ended) {
  open();
  auto [client, server] = co_await make_tunnel();
  client.end_sending();
  EXPECT_EQ(co_await server.read_to_end(), "");
  co_await let_run_out(limits_.half_closed_silence_max - 1s);
  co_await server.send("x");
  EXPECT_EQ(co_await client.read_bytes(1), "x");
  co_await let_run_out(limits_.half_closed_silence_max);
  EXPECT_EQ(gateway_->connection_count(), 0U);
  co_await gateway_->close();
}

}  // namespace capstan
