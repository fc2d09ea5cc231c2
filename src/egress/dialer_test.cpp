#include "egress/dialer.h"

#include <algorithm>
#include <atomic>

#include "egress/gateway_test.h"
#include "io/scope.h"

namespace capstan {

using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

using Protocol = Upstream::Protocol;

std::string connect_request(const std::string& place) {
  return "CONNECT " + place + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

std::string basic(const std::string& encoded) { return "Proxy-Authorization: Basic " + encoded; }

}  // namespace

class DialerTest : public GatewayTest {
 public:
  // Both kinds of request for the same place; each must be answered so.
  Async<> expect_status(std::string place, std::string status) {
    RawClient tunnel = connect();
    std::string answer = co_await tunnel.ask(connect_request(place));
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + status)) << place << "\n" << answer;
    RawClient plain = connect();
    answer = co_await plain.ask(get_request("http://" + place + "/"));
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + status)) << place << "\n" << answer;
  }
  // Sends a request that the proxy, played by `server_`, gets to see.
  Async<std::pair<RawClient, RawClient>> ask_proxy(std::string request) {
    RawClient client = connect();
    co_await client.send(std::move(request));
    RawClient proxy = co_await server_.accept();
    co_return std::pair(std::move(client), std::move(proxy));
  }

  // Somewhere that nobody may come to but through the proxy.
  PlayedServer canary_{executor()};
};

ASYNC_TEST(DialerTest, refuses_loopback_in_every_notation) {
  allow_ = {};
  open();
  const std::string port = ":" + std::to_string(canary_.port());
  for (const char* host : {"127.0.0.1",
                           "127.0.0.1.",
                           "127.1",
                           "127.0.1",
                           "2130706433",
                           "0x7f000001",
                           "017700000001",
                           "0177.0.0.1",
                           "0x7f.1",
                           "0x7f.0x0.0x0.0x1",
                           "0",
                           "0.0.0.0",
                           "[::1]",
                           "[::]",
                           "[0:0:0:0:0:0:0:1]",
                           "[::ffff:127.0.0.1]",
                           "[::ffff:7f00:1]",
                           "[::127.0.0.1]",
                           "[64:ff9b::127.0.0.1]",
                           "[64:ff9b::7f00:1]",
                           "[2002:7f00:1::]"}) {
    co_await expect_status(host + port, "403 Forbidden");
  }
  for (const char* host :
       {"127.0.0.1%00.a.test", "127%2e0.0.1", "[::1%25lo]", "[::1%lo]",
        "\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1", "127.0.0.0.1", "localhost\\a"}) {
    co_await expect_status(host + port, "400 Bad Request");
  }
  EXPECT_FALSE(canary_.was_touched());
  EXPECT_NE(metrics_.text().find("capstan_egress_refused_total 42\n"), std::string::npos);
  co_await gateway_->close();
}

ASYNC_TEST(DialerTest, refuses_names_that_lead_to_a_private_address) {
  allow_ = {};
  tell("localhost", {"127.0.0.1"});
  tell("loop.test", {"127.0.0.1"});
  tell("mixed.test", {"192.31.196.1", "127.0.0.1"});
  tell("mapped.test", {"::ffff:127.0.0.1"});
  tell("six.test", {"::1"});
  tell("metadata.test", {"169.254.169.254"});
  open();
  const std::string port = ":" + std::to_string(canary_.port());
  for (const char* name : {"localhost", "LOCALHOST.", "loop.test", "mixed.test", "mapped.test",
                           "six.test", "metadata.test"}) {
    co_await expect_status(name + port, "403 Forbidden");
  }
  EXPECT_FALSE(canary_.was_touched());
  EXPECT_TRUE((co_await get("http://loop.test/"))
                  .ends_with("Capstan: loop.test:80 is not on the public internet, and this "
                             "server's setting egress.allow does not list it\n"));
  co_await gateway_->close();
}

ASYNC_TEST(DialerTest, a_listed_name_may_lead_anywhere) {
  allow_ = {"intranet.test:" + std::to_string(server_.port())};
  tell("intranet.test", {"127.0.0.1"});
  tell("other.test", {"127.0.0.1"});
  open();
  const std::string port = ":" + std::to_string(server_.port());
  co_await expect_status("other.test" + port, "403 Forbidden");
  co_await expect_status("intranet.test:1", "403 Forbidden");
  co_await expect_status("127.0.0.1" + port, "403 Forbidden");
  EXPECT_FALSE(server_.was_touched());
  RawClient client = connect();
  co_await client.send(connect_request("intranet.test" + port));
  co_await server_.accept();
  EXPECT_TRUE((co_await client.read_until("\r\n\r\n")).starts_with("HTTP/1.1 200 "));
  co_await gateway_->close();
}

ASYNC_TEST(DialerTest, leaves_no_time_for_a_name_to_change_its_mind) {
  // Allowed at the first look, private at the second.
  auto lookups = std::make_shared<std::atomic<int>>(0);
  Gateways gateways(
      executor(), clock_, metrics_, {.allow = {"127.0.0.1"}}, [lookups](const std::string&) {
        return Addresses{asio::ip::make_address(++*lookups == 1 ? "127.0.0.1" : "127.0.0.2")};
      });
  auto acceptor = listen_on(executor(), "127.0.0.1", 0);
  port_ = acceptor.local_endpoint().port();
  gateway_ = gateways.open({.listener = Fd(acceptor.release()), .owner = "test"});
  gateway_->start();
  const std::string place = "rebind.test:" + std::to_string(server_.port());
  RawClient client = connect();
  co_await client.send(connect_request(place));
  co_await server_.accept();
  EXPECT_EQ(lookups->load(), 1);
  co_await let_pass(ResolverLimits().memory_time);
  co_await expect_status(place, "403 Forbidden");
  EXPECT_FALSE(server_.was_touched());
  co_await gateway_->close();
  gateway_.reset();
}

TEST(IsOwnAddress, knows_this_machine) {
  EXPECT_TRUE(is_own_address(asio::ip::make_address("127.0.0.1")));
  EXPECT_FALSE(is_own_address(asio::ip::make_address("192.0.2.1")));
  EXPECT_FALSE(is_own_address(asio::ip::make_address("2001:db8::1")));
}

ASYNC_TEST(DialerTest, asks_an_http_proxy_for_a_tunnel) {
  open(upstream(Protocol::http, "user", "pass"));
  auto [client, proxy] = co_await ask_proxy(connect_request("a.test:443"));
  EXPECT_EQ(
      co_await proxy.read_until("\r\n\r\n"),
      "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n" + basic("dXNlcjpwYXNz") + "\r\n\r\n");
  co_await proxy.send("HTTP/1.0 200 OK\r\nContent-Length: 9\r\nVia: x\r\n\r\nhello");
  EXPECT_EQ(co_await client.read_until("hello"),
            "HTTP/1.1 200 Connection Established\r\n\r\nhello");
  co_await client.send("world");
  EXPECT_EQ(co_await proxy.read_bytes(5), "world");
  EXPECT_GT(gateway_->upstream_bytes(), 10U);
  EXPECT_EQ(gateway_->upstream_bytes(), gateway_->bytes());
  co_await gateway_->close();
}

ASYNC_TEST(DialerTest, tells_an_http_proxy_all_of_the_target) {
  open(upstream(Protocol::http, "user", "pass"));
  auto [client, proxy] =
      co_await ask_proxy(get_request("http://a.test/b?c", "Proxy-Authorization: Basic own\r\n"));
  EXPECT_EQ(co_await proxy.read_until("\r\n\r\n"),
            "GET http://a.test/b?c HTTP/1.1\r\nHost: a.test\r\n" + basic("dXNlcjpwYXNz") +
                "\r\nConnection: keep-alive\r\n\r\n");
  co_await proxy.send(
      "HTTP/1.1 200 OK\r\nProxy-Connection: keep-alive\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(co_await client.read_until("ok"),
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok");
  co_await client.send(get_request("http://a.test/2"));
  EXPECT_TRUE((co_await proxy.read_until("\r\n\r\n")).starts_with("GET http://a.test/2 "));
  co_await gateway_->close();
}

ASYNC_TEST(DialerTest, resolves_no_name_itself_when_there_is_a_proxy) {
  // Its lookup would never end.
  open(upstream(Protocol::http));
  auto [client, proxy] = co_await ask_proxy(connect_request("stuck.test:443"));
  EXPECT_TRUE((co_await proxy.read_until("\r\n\r\n")).starts_with("CONNECT stuck.test:443 "));
  co_await gateway_->close();
}

ASYNC_TEST(DialerTest, tells_a_proxy_nothing_of_its_own_network) {
  allow_ = {"127.0.0.1:" + std::to_string(server_.port()), "10.1.0.0/16", "wiki"};
  for (Protocol protocol : {Protocol::http, Protocol::socks5}) {
    open(upstream(protocol));
    for (const char* host :
         {"10.0.0.1", "127.0.0.1", "0x7f.1", "[::1]", "169.254.169.254", "2852039166", "localhost",
          "LOCALHOST.", "a.localhost", "intranet", "printer.local", "metadata.google.internal",
          "router.home.arpa", "a.localdomain"}) {
      co_await expect_status(host + ":80"s, "403 Forbidden");
    }
    EXPECT_FALSE(server_.was_touched());
    co_await gateway_->close();
  }
  open(upstream(Protocol::http));
  for (const char* place : {"10.1.2.3:80", "wiki:80"}) {
    auto [client, proxy] = co_await ask_proxy(connect_request(place));
    EXPECT_TRUE((co_await proxy.read_until("\r\n\r\n")).starts_with("CONNECT "s + place + " "));
  }
  co_await gateway_->close();
}

ASYNC_TEST(DialerTest, judges_a_proxy_that_a_caller_named_and_trusts_an_operators) {
  allow_ = {};
  open(upstream(Protocol::http));
  co_await expect_status("a.test:443", "403 Forbidden");
  EXPECT_FALSE(server_.was_touched());
  co_await gateway_->close();
  Upstream trusted = upstream(Protocol::http);
  trusted.is_trusted = true;
  open(trusted);
  auto [client, proxy] = co_await ask_proxy(connect_request("a.test:443"));
  EXPECT_TRUE((co_await proxy.read_until("\r\n\r\n")).starts_with("CONNECT a.test:443 "));
  co_await gateway_->close();
}

ASYNC_TEST(DialerTest, says_what_is_wrong_with_an_http_proxy_and_never_goes_around_it) {
  tell("a.test", {"127.0.0.1"});
  open(upstream(Protocol::http, "user", "hush"));
  const std::string place = "a.test:" + std::to_string(canary_.port());
  struct Case {
    std::string answer;
    std::string message;
  };
  for (const Case& each : std::vector<Case>{
           {"HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
            "does not accept the user name or password"},
           {"HTTP/1.1 403 No\r\n\r\n", "does not make the connection: it answers 403"},
           {"HTTP/1.1 502 Gone\r\n\r\n", "does not make the connection: it answers 502"},
           {"HTTP/1.1 302 There\r\nLocation: /\r\n\r\n",
            "does not make the connection: it answers 302"},
           {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "gives an answer that is not HTTP/1.1"},
           {"\x05\x00"s, "gives an answer that is not HTTP/1.1"},
           {"", "hangs up instead of making the connection"},
           {"HTTP/1.1 200 OK\r\nX: 1\r\n", "hangs up instead of making the connection"},
           {"HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x'),
            "gives an answer that is not HTTP/1.1"},
           {"HTTP/1.1 101 Switching\r\n\r\n", "gives an answer that is not HTTP/1.1"}}) {
    auto [client, proxy] = co_await ask_proxy(connect_request(place));
    co_await proxy.read_until("\r\n\r\n");
    co_await proxy.send(each.answer);
    proxy.end_sending();
    std::string answer = co_await client.read_to_end();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n")) << answer;
    EXPECT_TRUE(
        answer.ends_with("Capstan: the proxy " + server_.place() + " " + each.message + "\n"))
        << answer;
    EXPECT_EQ(answer.find("hush"), std::string::npos);
    EXPECT_EQ(answer.find("Proxy-Authenticate"), std::string::npos);
  }
  EXPECT_FALSE(canary_.was_touched());
  co_await gateway_->close();
}

ASYNC_TEST(DialerTest, says_what_is_wrong_with_a_proxy_of_plain_requests) {
  open(upstream(Protocol::http));
  auto [client, proxy] = co_await ask_proxy(get_request("http://a.test/"));
  co_await proxy.read_until("\r\n\r\n");
  co_await proxy.send(
      "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 3\r\n\r\nwho");
  EXPECT_TRUE((co_await client.read_to_end())
                  .ends_with("Capstan: the proxy " + server_.place() +
                             " wants a user name and password\n"));
  auto [second, silent] = co_await ask_proxy(get_request("http://a.test/"));
  silent.reset();
  EXPECT_TRUE((co_await second.read_to_end()).starts_with("HTTP/1.1 502 "));
  // What the proxy says of the origin is the client's to read.
  auto [third, honest] = co_await ask_proxy(get_request("http://a.test/"));
  co_await honest.read_until("\r\n\r\n");
  co_await honest.send("HTTP/1.1 503 Later\r\nContent-Length: 5\r\n\r\nlater");
  EXPECT_TRUE((co_await third.read_until("later")).starts_with("HTTP/1.1 503 Later\r\n"));
  co_await gateway_->close();
}

ASYNC_TEST(DialerTest, gives_up_on_a_proxy_that_is_gone_or_slow) {
  tell("a.test", {"127.0.0.1"});
  const std::string place = "a.test:" + std::to_string(canary_.port());
  Upstream gone = upstream(Protocol::http);
  gone.port = 1;
  open(gone);
  co_await expect_status(place, "502 Bad Gateway");
  EXPECT_TRUE((co_await get("http://" + place + "/"))
                  .ends_with("Capstan: the proxy 127.0.0.1:1 refuses the connection\n"));
  co_await gateway_->close();
  for (Protocol protocol : {Protocol::http, Protocol::https, Protocol::socks5}) {
    open(upstream(protocol));
    auto [client, proxy] = co_await ask_proxy(connect_request(place));
    co_await let_pass(limits_.upstream_time_max);
    std::string answer = co_await client.read_to_end();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 504 Gateway Timeout\r\n")) << answer;
    EXPECT_TRUE(answer.ends_with("takes too long to answer\n")) << answer;
    co_await gateway_->close();
  }
  EXPECT_FALSE(canary_.was_touched());
  EXPECT_NE(metrics_.text().find("capstan_egress_upstream_failures_total 6\n"), std::string::npos);
}

ASYNC_TEST(DialerTest, asks_a_socks_proxy_for_tunnels_and_plain_requests_alike) {
  open(upstream(Protocol::socks5, "user", "pass"));
  for (bool is_tunnel : {true, false}) {
    auto [client, proxy] = co_await ask_proxy(is_tunnel ? connect_request("a.test:80")
                                                        : get_request("http://a.test/"));
    EXPECT_EQ(co_await proxy.read_bytes(4), "\x05\x02\x00\x02"s);
    co_await proxy.send("\x05\x02"s);
    EXPECT_EQ(co_await proxy.read_bytes(11), "\x01\x04user\x04pass"s);
    co_await proxy.send("\x01\x00"s);
    EXPECT_EQ(co_await proxy.read_bytes(13), "\x05\x01\x00\x03\x06"s + "a.test" + "\x00\x50"s);
    const std::string success = "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"s;
    if (is_tunnel) {
      co_await proxy.send(success + "SSH-2.0");
      EXPECT_TRUE((co_await client.read_until("SSH-2.0")).ends_with("\r\n\r\nSSH-2.0"));
    } else {
      co_await proxy.send(success);
      EXPECT_TRUE(
          (co_await proxy.read_until("\r\n\r\n")).starts_with("GET / HTTP/1.1\r\nHost: a.test"));
    }
  }
  co_await gateway_->close();
}

ASYNC_TEST(DialerTest, says_what_is_wrong_with_a_socks_proxy_and_never_goes_around_it) {
  tell("a.test", {"127.0.0.1"});
  open(upstream(Protocol::socks5));
  const std::string place = "a.test:" + std::to_string(canary_.port());
  struct Case {
    std::string answer;
    std::string message;
  };
  for (const Case& each : std::vector<Case>{
           {"\x04\x5a"s, "does not speak SOCKS5"},
           {"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak SOCKS5"},
           {"\x05\xff"s, "wants a user name and password"},
           {"\x05"s, "hangs up instead of making the connection"},
           {"", "hangs up instead of making the connection"},
           {"\x05\x00\x05\x02\x00\x01\x00"s, "does not allow this connection"},
           {"\x05\x00\x05\x00\x00\x01\x00"s, "hangs up instead of making the connection"},
           {"\x05\x00\x05\x00\x00\x07\x00"s, "gives an answer that can't be understood"}}) {
    auto [client, proxy] = co_await ask_proxy(connect_request(place));
    co_await proxy.send(each.answer);
    proxy.end_sending();
    std::string answer = co_await client.read_to_end();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n")) << answer;
    EXPECT_TRUE(
        answer.ends_with("Capstan: the proxy " + server_.place() + " " + each.message + "\n"))
        << answer;
  }
  EXPECT_FALSE(canary_.was_touched());
  co_await gateway_->close();
}

TEST_F(DialerTest, a_proxy_that_cannot_be_spoken_to_is_refused_at_once) {
  auto outcome = outcome_of_call([&] { open(upstream(Protocol::http, "a:b", "hush")); });
  EXPECT_EQ(outcome.error().code(), ErrorCode::invalid_argument);
}

}  // namespace capstan
