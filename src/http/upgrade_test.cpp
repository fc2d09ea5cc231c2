#include "http/server_test.h"
#include "io/websocket.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

Async<> echo_all(std::unique_ptr<WebSocket> websocket) {
  while (auto message = co_await websocket->read()) {
    co_await websocket->write(std::move(*message));
  }
}

Async<> fail_at_once(std::unique_ptr<WebSocket>) {
  co_await asio::this_coro::executor;
  throw Error(ErrorCode::internal, "no WebSocket today");
}

Response upgrading(std::function<Async<>(std::unique_ptr<WebSocket>)> upgrade) {
  Response response;
  response.upgrade = std::move(upgrade);
  return response;
}

}  // namespace

class UpgradeTest : public ServerTest {
 protected:
  Async<std::unique_ptr<WebSocket>> dial() {
    return WebSocket::connect(executor(), &clock_,
                              {"127.0.0.1", server_->port(), "/cdp?apiKey=k", {}}, {});
  }
};

ASYNC_TEST(UpgradeTest, hands_the_socket_over) {
  serve(answering(upgrading(echo_all)));
  auto client = co_await dial();
  co_await client->write("hello");
  EXPECT_EQ(co_await client->read(), "hello");
  EXPECT_TRUE(requests_.at(0).wants_upgrade);
  EXPECT_EQ(requests_.at(0).query_value("apiKey"), "k");
  co_await client->close(1000, "");
  co_await settle();
  EXPECT_EQ(server_->connection_count(), 0U);
  co_await server_->close();
}

ASYNC_TEST(UpgradeTest, names_the_request_and_keeps_what_came_with_it) {
  serve(answering(upgrading(echo_all)));
  RawClient client = connect();
  co_await client.send(
      "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
      "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      "x-request-id: mine\r\n\r\n\x81\x82" +
      std::string(4, '\0') + "hi");
  std::string head = co_await client.read_until("\r\n\r\n");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n")) << head;
  EXPECT_NE(head.find("\r\nx-request-id: mine\r\n"), std::string::npos);
  EXPECT_EQ(co_await client.read_bytes(4), "\x81\x02hi");
  co_await server_->close();
}

ASYNC_TEST(UpgradeTest, may_be_refused_with_a_plain_answer) {
  serve(answering(error_response(401, "who?")));
  auto outcome = co_await outcome_of(dial());
  EXPECT_NE(outcome.error().message().find("401 Unauthorized"), std::string::npos);
  EXPECT_NE(outcome.error().message().find("who?"), std::string::npos);
  co_await server_->close();
}

ASYNC_TEST(UpgradeTest, outlives_stop_accepting_and_is_told_1001_at_the_end) {
  serve(answering(upgrading(echo_all)));
  auto client = co_await dial();
  server_->stop_accepting();
  for (int i = 0; i < 30; ++i) {  // longer than any deadline of a connection
    co_await let_pass(10s);
    co_await client->write("still there?");
    EXPECT_EQ(co_await client->read(), "still there?");
  }
  co_await server_->close();
  EXPECT_EQ(co_await client->read(), std::nullopt);
  EXPECT_EQ(client->ending()->code, 1001);
}

ASYNC_TEST(UpgradeTest, ends_with_the_coroutine_that_got_it) {
  serve(answering(upgrading(fail_at_once)));
  auto client = co_await dial();
  EXPECT_EQ(co_await client->read(), std::nullopt);
  EXPECT_EQ(client->ending()->code, 1001);
  co_await settle();
  EXPECT_EQ(server_->connection_count(), 0U);
  co_await server_->close();
}

}  // namespace capstan
