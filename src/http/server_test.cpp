#include "http/server_test.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include "io/file.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr const char* request = "GET /x HTTP/1.1\r\nhost: a\r\n\r\n";

Async<Response> respond(Response response) { co_return response; }

Async<Response> respond_once(Event* event, Response response) {
  co_await event->wait();
  co_return response;
}

}  // namespace

RawClient::RawClient(const Executor& executor, std::uint16_t port) : socket_(executor) {
  socket_.connect({asio::ip::address_v4::loopback(), port});
}

Async<> RawClient::send(std::string bytes) {
  auto [error, count] = co_await asio::async_write(socket_, asio::buffer(bytes), as_result);
  (void)error;  // a server may well close first; what it answered is what counts
  (void)count;
}

Async<std::string> RawClient::read_until(std::string mark) {
  auto [error, count] =
      co_await asio::async_read_until(socket_, asio::dynamic_buffer(received_), mark, as_result);
  std::string text = received_.substr(0, error ? received_.size() : count);
  received_.erase(0, text.size());
  co_return text;
}

Async<std::string> RawClient::read_bytes(std::size_t count) {
  if (received_.size() < count) {
    co_await asio::async_read(socket_, asio::dynamic_buffer(received_),
                              asio::transfer_exactly(count - received_.size()), as_result);
  }
  std::string text = received_.substr(0, count);
  received_.erase(0, text.size());
  co_return text;
}

Async<std::string> RawClient::read_to_end() {
  auto [error, count] = co_await asio::async_read(socket_, asio::dynamic_buffer(received_),
                                                  asio::transfer_all(), as_result);
  (void)count;
  std::string text = std::exchange(received_, {});
  co_return error == asio::error::eof ? text : text + "(reset)";
}

Async<std::string> RawClient::read_answer() {
  std::string head = co_await read_until("\r\n\r\n");
  constexpr std::string_view name = "content-length: ";
  std::size_t place = head.find(name);
  if (place == std::string::npos) {
    co_return head;
  }
  std::string body = co_await read_bytes(std::stoul(head.substr(place + name.size())));
  co_return head + body;
}

Async<std::string> RawClient::ask(std::string bytes) {
  co_await send(std::move(bytes));
  co_return co_await read_to_end();
}

void RawClient::end_sending() { socket_.shutdown(asio::ip::tcp::socket::shutdown_send); }

void RawClient::reset() {
  socket_.set_option(asio::socket_base::linger(true, 0));
  socket_.close();
}

void ServerTest::serve(Handler handler) {
  server_ = std::make_unique<Server>(executor(), clock_, random_, limits_,
                                     listen_on(executor(), "127.0.0.1", 0), std::move(handler));
  server_->start();
}

void ServerTest::note(Request asked) {
  asked.body_share.reset();  // which must not outlive the server
  requests_.push_back(std::move(asked));
}

Handler ServerTest::answering(Response response) {
  return [this, response](Request asked) {
    note(std::move(asked));
    return respond(response);
  };
}

Handler ServerTest::echoing() {
  return [this](Request asked) {
    note(asked);
    return respond(
        text_response(std::string(to_text(asked.method)) + " " + asked.path + ": " + asked.body));
  };
}

Response text_response(std::string text) {
  Response response;
  response.headers.push_back({"content-type", "text/plain"});
  response.body = std::move(text);
  return response;
}

std::size_t count_of(std::string_view text, std::string_view wanted) {
  std::size_t count = 0;
  for (std::size_t place = text.find(wanted); place != std::string_view::npos;
       place = text.find(wanted, place + wanted.size())) {
    ++count;
  }
  return count;
}

TEST_F(ServerTest, listening_names_the_address_that_is_taken) {
  auto first = listen_on(executor(), "127.0.0.1", 0);
  const auto port = first.local_endpoint().port();
  auto outcome = outcome_of_call([&] { listen_on(executor(), "127.0.0.1", port); });
  EXPECT_EQ(outcome.error().message(),
            "127.0.0.1:" + std::to_string(port) + " is in use by another program");
  auto nowhere = outcome_of_call([&] { listen_on(executor(), "no host", 0); });
  EXPECT_EQ(nowhere.error().code(), ErrorCode::invalid_argument);
  auto foreign = outcome_of_call([&] { listen_on(executor(), "192.0.2.1", 1); });
  EXPECT_EQ(foreign.error().code(), ErrorCode::unavailable);
}

ASYNC_TEST(ServerTest, counts_its_connections) {
  serve(echoing());
  {
    RawClient one = connect();
    RawClient two = connect();
    co_await settle();
    EXPECT_EQ(server_->connection_count(), 2U);
  }
  co_await settle();
  EXPECT_EQ(server_->connection_count(), 0U);
  co_await server_->close();
}

ASYNC_TEST(ServerTest, makes_newcomers_wait_when_it_is_full) {
  limits_.connections_max = 2;
  serve(echoing());
  auto one = std::make_unique<RawClient>(connect());
  RawClient two = connect();
  co_await settle();
  RawClient three = connect();
  co_await three.send(request);
  co_await settle();
  EXPECT_EQ(server_->connection_count(), 2U);
  EXPECT_TRUE(requests_.empty());
  one.reset();
  EXPECT_TRUE((co_await three.read_answer()).ends_with("GET /x: "));
  co_await server_->close();
}

ASYNC_TEST(ServerTest, waits_a_little_when_descriptors_have_run_out) {
  serve(echoing());
  RawClient client(executor(), server_->port());
  co_await client.send(request);
  // No descriptor is left for the connection that waits to be accepted.
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  Fd last(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  rlimit none = before;
  none.rlim_cur = 0;
  setrlimit(RLIMIT_NOFILE, &none);
  co_await settle();
  EXPECT_EQ(server_->connection_count(), 0U);
  setrlimit(RLIMIT_NOFILE, &before);
  co_await settle();
  EXPECT_EQ(server_->connection_count(), 0U) << "it tries again at once";
  co_await let_pass(limits_.accept_retry_time);
  EXPECT_TRUE((co_await client.read_answer()).ends_with("GET /x: "));
  co_await server_->close();
}

ASYNC_TEST(ServerTest, stops_accepting_but_answers_what_it_has_begun) {
  Event answer(executor());
  serve([this, &answer](Request asked) {
    note(std::move(asked));
    return respond_once(&answer, text_response("done"));
  });
  RawClient idle = connect();
  RawClient busy = connect();
  RawClient reading = connect();
  co_await busy.send(request);
  co_await reading.send("GET /late HTTP/1.1\r\n");
  co_await settle();
  server_->stop_accepting();
  EXPECT_EQ(co_await idle.read_to_end(), "");
  boost::system::error_code refused;
  asio::ip::tcp::socket late(executor());
  late.connect({asio::ip::address_v4::loopback(), server_->port()}, refused);
  EXPECT_EQ(refused, asio::error::connection_refused);
  answer.set();
  std::string answered = co_await busy.read_to_end();
  EXPECT_NE(answered.find("connection: close"), std::string::npos);
  EXPECT_TRUE(answered.ends_with("done"));
  EXPECT_TRUE((co_await reading.ask("host: a\r\n\r\n")).ends_with("done"));
  co_await server_->close();
}

ASYNC_TEST(ServerTest, closing_cancels_what_runs) {
  Event never(executor());
  serve([this, &never](Request asked) {
    note(std::move(asked));
    return respond_once(&never, text_response("never"));
  });
  RawClient busy = connect();
  co_await busy.send(request);
  co_await settle();
  EXPECT_EQ(requests_.size(), 1U);
  co_await server_->close();
  EXPECT_EQ(server_->connection_count(), 0U);
  EXPECT_EQ(co_await busy.read_to_end(), "");
}

}  // namespace capstan
