#include "egress/exchange.h"

#include "egress/gateway_test.h"
#include "io/scope.h"

namespace capstan {

using namespace std::chrono_literals;

class ExchangeTest : public GatewayTest {
 public:
  std::string url(const std::string& path = "/") { return "http://" + server_.place() + path; }
  std::string post(const std::string& headers) {
    return "POST " + url() + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n";
  }
  // The server's end of a GET that the client has just sent, its head read.
  Async<RawClient> accept_get() {
    RawClient server = co_await server_.accept();
    co_await server.read_until("\r\n\r\n");
    co_return server;
  }
};

ASYNC_TEST(ExchangeTest, uses_a_connection_again_for_the_same_server) {
  open();
  RawClient client = connect();
  co_await client.send(get_request(url("/1")));
  RawClient server = co_await accept_get();
  co_await server.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1");
  EXPECT_TRUE((co_await client.read_until("\r\n\r\n1")).ends_with("1"));
  co_await client.send(get_request(url("/2")));
  EXPECT_TRUE((co_await server.read_until("\r\n\r\n")).starts_with("GET /2 "));
  co_await server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n2\r\n0\r\n\r\n");
  EXPECT_TRUE((co_await client.read_until("0\r\n\r\n")).ends_with("\r\n\r\n1\r\n2\r\n0\r\n\r\n"));
  co_await client.send("HEAD " + url("/3") + " HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE((co_await server.read_until("\r\n\r\n")).starts_with("HEAD /3 "));
  co_await server.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
  co_await client.read_until("\r\n\r\n");
  co_await client.send(get_request(url("/4")));
  EXPECT_TRUE((co_await server.read_until("\r\n\r\n")).starts_with("GET /4 "));
  co_await server.send("HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n");
  co_await client.read_until("\r\n\r\n");
  EXPECT_FALSE(server_.was_touched());
  EXPECT_EQ(gateway_->connection_count(), 1U);
  co_await gateway_->close();
}

ASYNC_TEST(ExchangeTest, dials_anew_for_another_server) {
  open();
  PlayedServer other(executor());
  RawClient client = connect();
  co_await client.send(get_request(url()));
  RawClient server = co_await accept_get();
  co_await server.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  co_await client.read_until("\r\n\r\n");
  co_await client.send(get_request("http://" + other.place() + "/"));
  RawClient second = co_await other.accept();
  EXPECT_TRUE((co_await second.read_until("\r\n\r\n")).starts_with("GET / "));
  EXPECT_EQ(co_await server.read_to_end(), "");
  co_await gateway_->close();
}

ASYNC_TEST(ExchangeTest, answers_requests_that_came_together_one_after_the_other) {
  open();
  RawClient client = connect();
  co_await client.send(get_request(url("/1")) + get_request(url("/2")));
  RawClient server = co_await server_.accept();
  EXPECT_TRUE((co_await server.read_until("\r\n\r\n")).starts_with("GET /1 "));
  co_await settle();
  EXPECT_EQ(server.socket().available(), 0U) << "the second one waits for its turn";
  co_await server.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1");
  EXPECT_TRUE((co_await server.read_until("\r\n\r\n")).starts_with("GET /2 "));
  co_await server.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2");
  co_await client.read_until("\r\n\r\n1");
  EXPECT_TRUE((co_await client.read_until("\r\n\r\n2")).ends_with("2"));
  co_await gateway_->close();
}

ASYNC_TEST(ExchangeTest, dials_anew_when_the_server_has_closed_an_idle_connection) {
  open();
  RawClient client = connect();
  co_await client.send(get_request(url()));
  {
    RawClient server = co_await accept_get();
    co_await server.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    co_await client.read_until("\r\n\r\n");
  }
  // Anything may follow: it is known before it is sent.
  co_await client.send(post("Content-Length: 1\r\n") + "x");
  RawClient server = co_await server_.accept();
  EXPECT_TRUE((co_await server.read_until("\r\n\r\nx")).starts_with("POST "));
  co_await gateway_->close();
}

ASYNC_TEST(ExchangeTest, repeats_a_get_that_came_when_the_server_was_closing) {
  open();
  RawClient client = connect();
  co_await client.send(get_request(url("/1")));
  {
    RawClient server = co_await accept_get();
    co_await server.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    co_await client.read_until("\r\n\r\n");
    co_await client.send(get_request(url("/2")));
    EXPECT_TRUE((co_await server.read_until("\r\n\r\n")).starts_with("GET /2 "));
  }
  RawClient server = co_await server_.accept();
  EXPECT_TRUE((co_await server.read_until("\r\n\r\n")).starts_with("GET /2 "));
  // On a connection that was not used before, there is nothing to repeat.
  server.socket().close();
  EXPECT_NE((co_await client.read_to_end()).find(" closes the connection without an answer\n"),
            std::string::npos);
  co_await gateway_->close();
}

ASYNC_TEST(ExchangeTest, leaves_it_to_the_client_whether_to_repeat_a_post) {
  open();
  RawClient client = connect();
  co_await client.send(get_request(url()));
  {
    RawClient server = co_await accept_get();
    co_await server.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    co_await client.read_until("\r\n\r\n");
    co_await client.send(post("Content-Length: 1\r\n") + "x");
    co_await server.read_until("\r\n\r\nx");
  }
  EXPECT_EQ(co_await client.read_to_end(), "") << "as if it had closed in between";
  EXPECT_FALSE(server_.was_touched());
  co_await gateway_->close();
}

ASYNC_TEST(ExchangeTest, streams_a_body_up_while_the_answer_comes_down) {
  open();
  RawClient client = connect();
  co_await client.send(post("Transfer-Encoding: chunked\r\n") + "5\r\nhello\r\n");
  RawClient server = co_await server_.accept();
  EXPECT_TRUE((co_await server.read_until("hello\r\n")).ends_with("\r\n\r\n5\r\nhello\r\n"));
  co_await server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n");
  std::string answer = co_await client.read_until("hi\r\n");
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos) << "it came too early";
  co_await client.send("5\r\nworld\r\n");
  EXPECT_EQ(co_await server.read_until("world\r\n"), "5\r\nworld\r\n");
  co_await server.send("2\r\nho\r\n");
  EXPECT_EQ(co_await client.read_until("ho\r\n"), "2\r\nho\r\n");
  co_await server.send("0\r\n\r\n");
  EXPECT_EQ(co_await client.read_until("0\r\n\r\n"), "0\r\n\r\n");
  // The upload goes on, though the answer is through.
  co_await client.send("0\r\n\r\n");
  EXPECT_EQ(co_await server.read_until("0\r\n\r\n"), "0\r\n\r\n");
  EXPECT_EQ(co_await client.read_to_end(), "");
  co_await gateway_->close();
}

ASYNC_TEST(ExchangeTest, passes_an_answer_on_that_ends_an_upload_early) {
  open();
  RawClient client = connect();
  co_await client.send(post("Content-Length: 100000000\r\n"));
  {
    RawClient server = co_await accept_get();
    co_await server.send(
        "HTTP/1.1 413 Too Much\r\nContent-Length: 4\r\nConnection: close\r\n\r\nless");
  }
  std::string answer = co_await client.read_until("less");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 413 Too Much\r\n")) << answer;
  co_await client.send(std::string(1'000'000, 'x'));
  EXPECT_EQ(co_await client.read_to_end(), "");
  co_await gateway_->close();
}

ASYNC_TEST(ExchangeTest, waits_only_so_long_for_the_rest_of_an_upload) {
  open();
  RawClient client = connect();
  co_await client.send(post("Content-Length: 10\r\n") + "half");
  RawClient server = co_await server_.accept();
  co_await server.read_until("half");
  co_await server.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  co_await client.read_until("\r\n\r\n");
  co_await let_pass(limits_.late_upload_time_max);
  EXPECT_EQ(co_await server.read_to_end(), "");
  EXPECT_EQ(co_await client.read_to_end(), "");
  co_await gateway_->close();
}

ASYNC_TEST(ExchangeTest, refuses_an_upload_whose_chunks_are_malformed) {
  open();
  RawClient client = connect();
  co_await client.send(post("Transfer-Encoding: chunked\r\n") + "5\r\nhello\r\n");
  RawClient server = co_await server_.accept();
  co_await server.read_until("hello\r\n");
  co_await client.send("0\n\nGET /smuggled HTTP/1.1\r\n\r\n");
  EXPECT_TRUE((co_await client.read_to_end()).starts_with("HTTP/1.1 400 "));
  EXPECT_EQ((co_await server.read_to_end()).find("smuggled"), std::string::npos);
  co_await gateway_->close();
}

ASYNC_TEST(ExchangeTest, passes_interim_answers_on) {
  open();
  RawClient client = connect();
  co_await client.send(post("Content-Length: 4\r\nExpect: 100-continue\r\n"));
  RawClient server = co_await server_.accept();
  EXPECT_NE((co_await server.read_until("\r\n\r\n")).find("Expect: 100-continue"),
            std::string::npos);
  co_await server.send("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(co_await client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  co_await client.send("body");
  EXPECT_EQ(co_await server.read_bytes(4), "body");
  co_await server.send(
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE((co_await client.read_until("\r\n\r\n")).starts_with("HTTP/1.1 103 "));
  EXPECT_NE((co_await client.read_until("\r\n\r\n")).find("Connection: keep-alive"),
            std::string::npos);
  co_await gateway_->close();
}

ASYNC_TEST(ExchangeTest, a_body_may_end_with_the_connection) {
  open();
  RawClient client = connect();
  co_await client.send(get_request(url()));
  {
    RawClient server = co_await accept_get();
    co_await server.send("HTTP/1.0 200 OK\r\n\r\nall of it");
  }
  EXPECT_EQ(co_await client.read_to_end(), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it");
  co_await gateway_->close();
}

ASYNC_TEST(ExchangeTest, shows_the_client_that_an_answer_broke_off) {
  open();
  RawClient client = connect();
  co_await client.send(get_request(url()));
  RawClient server = co_await accept_get();
  co_await server.send("HTTP/1.1 200 OK\r\n\r\nhalf of it");
  co_await client.read_until("half of it");
  server.reset();
  EXPECT_EQ(co_await client.read_to_end(), "(reset)");
  RawClient other = connect();
  co_await other.send(get_request(url()));
  {
    RawClient second = co_await accept_get();
    co_await second.send("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf of it");
  }
  EXPECT_TRUE((co_await other.read_to_end()).ends_with("half of it"));
  co_await gateway_->close();
}

ASYNC_TEST(ExchangeTest, tells_what_is_wrong_with_an_answer) {
  open();
  for (const char* bytes :
       {"garbage\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 200 OK\r\nhalf",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", "x",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx"}) {
    RawClient client = connect();
    co_await client.send(get_request(url()));
    {
      RawClient server = co_await accept_get();
      co_await server.send(bytes);
    }
    std::string answer = co_await client.read_to_end();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n")) << bytes << answer;
  }
  RawClient client = connect();
  co_await client.send(get_request(url()));
  RawClient server = co_await accept_get();
  co_await server.send("HTTP/1.1 200 OK\r\nX: " + std::string(limits_.answer_head_bytes_max, 'x'));
  EXPECT_NE((co_await client.read_to_end()).find("is too long"), std::string::npos);
  co_await gateway_->close();
}

ASYNC_TEST(ExchangeTest, bounds_interim_answers) {
  open();
  RawClient client = connect();
  co_await client.send(get_request(url()));
  RawClient server = co_await accept_get();
  std::string interims;
  for (int i = 0; i < 100; ++i) {
    interims += "HTTP/1.1 103 Early Hints\r\n\r\n";
  }
  co_await server.send(interims);
  EXPECT_EQ(count_of(co_await client.read_to_end(), "103 Early Hints"), 20U);
  co_await gateway_->close();
}

ASYNC_TEST(ExchangeTest, gives_up_on_an_answer_that_does_not_come) {
  open();
  RawClient client = connect();
  co_await client.send(get_request(url()));
  RawClient server = co_await accept_get();
  co_await let_run_out(limits_.answer_time_max - 1s);
  EXPECT_EQ(gateway_->connection_count(), 1U);
  co_await let_run_out(1s);
  EXPECT_TRUE((co_await client.read_to_end()).starts_with("HTTP/1.1 504 Gateway Timeout\r\n"));
  co_await gateway_->close();
}

ASYNC_TEST(ExchangeTest, a_client_that_has_ended_its_side_still_gets_its_answer) {
  open();
  RawClient client = connect();
  co_await client.send(get_request(url()));
  client.end_sending();
  RawClient server = co_await accept_get();
  co_await let_run_out(limits_.half_closed_silence_max - 1s);
  co_await server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_TRUE((co_await client.read_to_end()).ends_with("ok"));
  RawClient other = connect();
  co_await other.send(get_request(url()));
  other.end_sending();
  RawClient silent = co_await accept_get();
  co_await settle();
  co_await let_run_out(limits_.half_closed_silence_max);
  EXPECT_EQ(co_await silent.read_to_end(), "");
  co_await gateway_->close();
}

ASYNC_TEST(ExchangeTest, hangs_up_when_the_client_has_gone) {
  open();
  RawClient client = connect();
  co_await client.send(get_request(url()));
  RawClient server = co_await accept_get();
  client.reset();
  EXPECT_EQ(co_await server.read_to_end(), "");
  RawClient posting = connect();
  co_await posting.send(post("Content-Length: 10\r\n") + "half");
  RawClient posted = co_await server_.accept();
  co_await posted.read_until("half");
  posting.end_sending();
  EXPECT_EQ(co_await posted.read_to_end(), "") << "a body without its end is none";
  co_await settle();
  EXPECT_EQ(gateway_->connection_count(), 0U);
  co_await gateway_->close();
}

ASYNC_TEST(ExchangeTest, becomes_a_tunnel_when_the_server_switches) {
  open();
  RawClient client = connect();
  co_await client.send(get_request(
      url("/ws"), "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n"));
  RawClient server = co_await server_.accept();
  EXPECT_NE((co_await server.read_until("\r\n\r\n")).find("Upgrade: websocket\r\n"),
            std::string::npos);
  co_await server.send(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst");
  EXPECT_TRUE((co_await client.read_until("first")).ends_with("Upgrade: websocket\r\n\r\nfirst"));
  co_await client.send("second");
  EXPECT_EQ(co_await server.read_bytes(6), "second");
  server.end_sending();
  EXPECT_EQ(co_await client.read_to_end(), "");
  co_await client.send("third");
  EXPECT_EQ(co_await server.read_bytes(5), "third");
  co_await gateway_->close();
}

ASYNC_TEST(ExchangeTest, a_server_may_refuse_to_switch) {
  open();
  RawClient client = connect();
  co_await client.send(get_request(url("/ws"), "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
  RawClient server = co_await accept_get();
  co_await server.send("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno");
  EXPECT_TRUE((co_await client.read_until("\r\n\r\nno")).starts_with("HTTP/1.1 403 No\r\n"));
  co_await client.send(get_request(url("/2")));
  EXPECT_TRUE((co_await server.read_until("\r\n\r\n")).starts_with("GET /2 "));
  co_await gateway_->close();
}

ASYNC_TEST(ExchangeTest, speaks_http_1_0_with_those_who_do) {
  open();
  RawClient client = connect();
  co_await client.send("GET " + url() + " HTTP/1.0\r\n\r\n");
  RawClient server = co_await server_.accept();
  EXPECT_EQ(co_await server.read_until("\r\n\r\n"),
            "GET / HTTP/1.0\r\nHost: " + server_.place() + "\r\nConnection: close\r\n\r\n");
  co_await server.send(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(co_await client.read_to_end(),
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
  co_await gateway_->close();
}

ASYNC_TEST(ExchangeTest, holds_a_server_back_whose_client_does_not_read) {
  open();
  RawClient client = connect();
  co_await client.send(get_request(url()));
  RawClient server = co_await accept_get();
  const std::string body(64'000'000, 'x');
  bool is_sent = false;
  auto send = [](RawClient* to, std::string bytes, bool* sent) -> Async<> {
    co_await to->send(std::move(bytes));
    *sent = true;
  };
  Scope scope(executor(), "test");
  scope.spawn(
      send(&server, "HTTP/1.1 200 OK\r\nContent-Length: 64000000\r\n\r\n" + body, &is_sent));
  std::uint64_t before = 0;
  do {
    before = gateway_->bytes();
    co_await settle();
  } while (gateway_->bytes() != before);
  EXPECT_FALSE(is_sent);
  EXPECT_LT(gateway_->bytes(), 32'000'000U);
  std::string head = co_await client.read_until("\r\n\r\n");
  EXPECT_TRUE(co_await client.read_bytes(body.size()) == body);
  co_await scope.drain();
  co_await gateway_->close();
}

}  // namespace capstan
