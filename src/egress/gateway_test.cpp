#include "egress/gateway_test.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "io/file.h"
#include "io/scope.h"

namespace capstan {

using namespace std::chrono_literals;

PlayedServer::PlayedServer(const Executor& executor)
    : acceptor_(listen_on(executor, "127.0.0.1", 0)) {}

Async<RawClient> PlayedServer::accept() {
  co_return RawClient(co_await acceptor_.async_accept(asio::use_awaitable));
}

bool PlayedServer::was_touched() {
  acceptor_.non_blocking(true);
  boost::system::error_code error;
  acceptor_.accept(error);
  return !error;
}

void GatewayTest::open(std::optional<Upstream> upstream) {
  EgressSettings settings{.allow = allow_, .limits = limits_};
  gateways_ = std::make_unique<Gateways>(
      executor(), clock_, metrics_, settings, [names = names_](const std::string& name) {
        std::unique_lock lock(names->mutex);
        names->changed.wait(lock, [&] { return name != "stuck.test" || names->is_over; });
        auto entry = names->addresses.find(name);
        if (entry == names->addresses.end()) {
          throw Error(ErrorCode::not_found, "there is no address for the name " + name);
        }
        return entry->second;
      });
  auto acceptor = listen_on(executor(), "127.0.0.1", 0);
  port_ = acceptor.local_endpoint().port();
  gateway_ = gateways_->open(
      {.listener = Fd(acceptor.release()), .upstream = std::move(upstream), .owner = "test"});
  gateway_->start();
}

GatewayTest::~GatewayTest() {
  std::lock_guard lock(names_->mutex);
  names_->is_over = true;
  names_->changed.notify_all();
}

void GatewayTest::tell(const std::string& name, const std::vector<std::string>& addresses) {
  std::lock_guard lock(names_->mutex);
  names_->addresses[name].clear();
  for (const std::string& address : addresses) {
    names_->addresses[name].push_back(asio::ip::make_address(address));
  }
}

Async<std::string> GatewayTest::get(std::string url) {
  RawClient client = connect();
  co_return co_await client.ask(get_request(url));
}

Async<std::pair<RawClient, RawClient>> GatewayTest::make_tunnel() {
  RawClient client = connect();
  co_await client.send("CONNECT " + server_.place() + " HTTP/1.1\r\nHost: x\r\n\r\n");
  RawClient server = co_await server_.accept();
  EXPECT_EQ(co_await client.read_until("\r\n\r\n"), "HTTP/1.1 200 Connection Established\r\n\r\n");
  co_return std::pair(std::move(client), std::move(server));
}

Upstream GatewayTest::upstream(Upstream::Protocol protocol, const std::string& username,
                               const std::string& password) {
  return {.protocol = protocol,
          .host = "127.0.0.1",
          .port = server_.port(),
          .username = username,
          .password = password};
}

std::string get_request(const std::string& url, const std::string& headers) {
  return "GET " + url + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n";
}

ASYNC_TEST(GatewayTest, passes_a_request_and_its_answer) {
  open();
  RawClient client = connect();
  co_await client.send(get_request("http://" + server_.place() + "/a?b=c", "X-Y: z\r\n"));
  RawClient server = co_await server_.accept();
  EXPECT_EQ(co_await server.read_until("\r\n\r\n"),
            "GET /a?b=c HTTP/1.1\r\nHost: " + server_.place() +
                "\r\nConnection: keep-alive\r\nX-Y: z\r\n\r\n");
  co_await server.send("HTTP/1.1 201 Made\r\nServer: s\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(co_await client.read_until("hello"),
            "HTTP/1.1 201 Made\r\nServer: s\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n"
            "hello");
  co_await gateway_->close();
}

ASYNC_TEST(GatewayTest, looks_names_up_and_dials_what_it_has_found) {
  tell("a.test", {"127.0.0.1"});
  open();
  RawClient client = connect();
  co_await client.send(get_request("http://A.test.:" + std::to_string(server_.port()) + "/"));
  RawClient server = co_await server_.accept();
  EXPECT_NE((co_await server.read_until("\r\n\r\n")).find("Host: a.test.:"), std::string::npos);
  EXPECT_TRUE((co_await get("http://gone.test/"))
                  .ends_with("Capstan: there is no address for the name gone.test\n"));
  co_await gateway_->close();
}

ASYNC_TEST(GatewayTest, tries_one_address_after_the_other) {
  allow_ = {"127.0.0.0/8"};
  tell("a.test", {"127.0.0.2", "127.0.0.1"});
  open();
  RawClient client = connect();
  co_await client.send(get_request("http://a.test:" + std::to_string(server_.port()) + "/"));
  RawClient server = co_await server_.accept();
  EXPECT_TRUE((co_await server.read_until("\r\n\r\n")).starts_with("GET / "));
  co_await gateway_->close();
}

ASYNC_TEST(GatewayTest, tells_why_a_server_cannot_be_reached) {
  tell("closed.test", {"127.0.0.1"});
  open();
  std::string place = "closed.test:1";
  std::string answer = co_await get("http://" + place + "/");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\nCapstan: closed.test:1 refuses the connection\n"))
      << answer;
  RawClient client = connect();
  EXPECT_TRUE((co_await client.ask("CONNECT closed.test:1 HTTP/1.1\r\nHost: x\r\n\r\n"))
                  .starts_with("HTTP/1.1 502 "));
  RawClient asker = connect();
  std::string head = co_await asker.ask("HEAD http://closed.test:1/ HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(head.ends_with("\r\n\r\n")) << head;
  co_await gateway_->close();
}

ASYNC_TEST(GatewayTest, gives_up_on_a_server_that_does_not_take_connections) {
  // A listener whose queue is full answers nothing to those who come.
  asio::ip::tcp::acceptor full(executor(), {asio::ip::address_v4::loopback(), 0});
  full.listen(0);
  auto place = full.local_endpoint();
  std::vector<asio::ip::tcp::socket> queue;
  for (int i = 0; i < 3; ++i) {
    queue.emplace_back(executor(), asio::ip::tcp::v4());
    queue.back().native_non_blocking(true);
    ::connect(queue.back().native_handle(), place.data(), static_cast<socklen_t>(place.size()));
  }
  open();
  RawClient client = connect();
  co_await client.send(get_request("http://127.0.0.1:" + std::to_string(place.port()) + "/"));
  co_await let_pass(limits_.dial_time_max);
  EXPECT_TRUE((co_await client.read_to_end()).starts_with("HTTP/1.1 504 Gateway Timeout\r\n"));
  co_await gateway_->close();
}

ASYNC_TEST(GatewayTest, refuses_what_is_no_request_to_a_proxy) {
  open();
  for (const char* bytes :
       {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "garbage\r\n\r\n", "GET http://a.test/ HTTP/1.1\n\n",
        "CONNECT a.test HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST http://a.test/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"}) {
    RawClient client = connect();
    std::string answer = co_await client.ask(bytes);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 Bad Request\r\n")) << bytes << answer;
    EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
  }
  RawClient client = connect();
  EXPECT_TRUE((co_await client.ask(get_request(
                   "http://a.test/", "X: " + std::string(limits_.request_head_bytes_max, 'x'))))
                  .starts_with("HTTP/1.1 431 "));
  co_await gateway_->close();
}

ASYNC_TEST(GatewayTest, counts_bytes_to_and_from_the_outside) {
  open();
  auto [client, server] = co_await make_tunnel();
  co_await client.send("12345");
  EXPECT_EQ(co_await server.read_bytes(5), "12345");
  co_await server.send("1234567");
  EXPECT_EQ(co_await client.read_bytes(7), "1234567");
  EXPECT_EQ(gateway_->bytes(), 12U);
  EXPECT_EQ(gateway_->upstream_bytes(), 0U);
  std::string text = metrics_.text();
  EXPECT_NE(text.find("capstan_egress_bytes_total{direction=\"received\"} 7\n"), std::string::npos);
  EXPECT_NE(text.find("capstan_egress_bytes_total{direction=\"sent\"} 5\n"), std::string::npos);
  co_await gateway_->close();
}

ASYNC_TEST(GatewayTest, ends_clients_that_say_nothing_or_say_it_too_slowly) {
  open();
  RawClient idle = connect();
  RawClient slow = connect();
  co_await slow.send("GET http://");
  co_await let_pass(limits_.head_time_max - 1s);
  co_await slow.send("a.test");
  co_await let_run_out(1s);
  EXPECT_EQ(co_await slow.read_to_end(), "");
  EXPECT_EQ(gateway_->connection_count(), 1U);
  co_await let_run_out(limits_.idle_time_max - limits_.head_time_max);
  EXPECT_EQ(co_await idle.read_to_end(), "");
  EXPECT_EQ(gateway_->connection_count(), 0U);
  co_await gateway_->close();
}

ASYNC_TEST(GatewayTest, makes_newcomers_wait_when_it_is_full) {
  limits_.connections_max = 2;
  open();
  auto [client, server] = co_await make_tunnel();
  auto [other_client, other_server] = co_await make_tunnel();
  RawClient waiting = connect();
  co_await waiting.send("CONNECT " + server_.place() + " HTTP/1.1\r\nHost: x\r\n\r\n");
  co_await let_pass(1min);
  EXPECT_EQ(gateway_->connection_count(), 2U);
  EXPECT_FALSE(server_.was_touched());
  client.reset();
  EXPECT_TRUE((co_await waiting.read_until("\r\n\r\n")).starts_with("HTTP/1.1 200 "));
  co_await gateway_->close();
}

ASYNC_TEST(GatewayTest, gives_up_idle_connections_for_those_that_are_needed) {
  limits_.connections_max = 2;
  open();
  auto [client, server] = co_await make_tunnel();
  RawClient idle = connect();
  co_await settle();
  RawClient waiting = connect();
  co_await waiting.send("CONNECT " + server_.place() + " HTTP/1.1\r\nHost: x\r\n\r\n");
  co_await let_pass(limits_.watch_interval);
  EXPECT_FALSE(server_.was_touched()) << "it has not been idle for long";
  co_await let_pass(limits_.watch_interval);
  EXPECT_EQ(co_await idle.read_to_end(), "");
  EXPECT_TRUE((co_await waiting.read_until("\r\n\r\n")).starts_with("HTTP/1.1 200 "));
  co_await gateway_->close();
}

ASYNC_TEST(GatewayTest, waits_a_little_when_descriptors_have_run_out) {
  open();
  RawClient client = connect();
  co_await client.send("garbage\r\n\r\n");
  // No descriptor is left for the connection that waits to be accepted.
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  Fd last(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  rlimit none = before;
  none.rlim_cur = 0;
  setrlimit(RLIMIT_NOFILE, &none);
  co_await settle();
  EXPECT_EQ(gateway_->connection_count(), 0U);
  setrlimit(RLIMIT_NOFILE, &before);
  co_await settle();
  EXPECT_EQ(gateway_->connection_count(), 0U) << "it tries again at once";
  co_await let_pass(limits_.accept_retry_time);
  EXPECT_TRUE((co_await client.read_to_end()).starts_with("HTTP/1.1 400 "));
  co_await gateway_->close();
}

ASYNC_TEST(GatewayTest, closing_ends_everything_that_is_under_way) {
  open();
  RawClient idle = connect();
  auto [client, server] = co_await make_tunnel();
  RawClient asking = connect();
  co_await asking.send(get_request("http://" + server_.place() + "/"));
  RawClient answering = co_await server_.accept();
  co_await answering.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  co_await asking.read_until("half");
  RawClient posting = connect();
  co_await posting.send("POST http://" + server_.place() +
                        "/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf");
  RawClient posted = co_await server_.accept();
  co_await posted.read_until("half");
  RawClient looking = connect();
  co_await looking.send(get_request("http://stuck.test/"));
  co_await settle();
  EXPECT_EQ(gateway_->connection_count(), 5U);
  co_await gateway_->close();
  EXPECT_EQ(gateway_->connection_count(), 0U);
  EXPECT_EQ(co_await idle.read_to_end(), "");
  EXPECT_EQ(co_await client.read_to_end(), "(reset)") << "nobody takes it for an end";
  EXPECT_EQ(co_await server.read_to_end(), "(reset)");
  EXPECT_EQ(co_await asking.read_to_end(), "");
  EXPECT_TRUE((co_await answering.read_to_end()).ends_with("\r\n\r\n"));
  EXPECT_EQ(co_await looking.read_to_end(), "");
  boost::system::error_code refused;
  asio::ip::tcp::socket late(executor());
  late.connect({asio::ip::address_v4::loopback(), port_}, refused);
  EXPECT_EQ(refused, asio::error::connection_refused);
}

}  // namespace capstan
