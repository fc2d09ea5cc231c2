#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "http/server.h"
#include "io/loop_test.h"

namespace capstan {

// One side of a real socket, byte for byte: a client's, mostly.
class RawClient {
 public:
  RawClient(const Executor& executor, std::uint16_t port);
  explicit RawClient(asio::ip::tcp::socket socket) : socket_(std::move(socket)) {}

  Async<> send(std::string bytes);
  // The next bytes, up to and with `mark`, or up to the end of the stream.
  Async<std::string> read_until(std::string mark);
  Async<std::string> read_bytes(std::size_t count);
  // All the rest; a reset reads as an end, with "(reset)" behind the text.
  Async<std::string> read_to_end();
  // One answer: its head, and as much body as its content-length says.
  Async<std::string> read_answer();
  // send(), then read_to_end().
  Async<std::string> ask(std::string bytes);

  void end_sending();
  void reset();
  asio::ip::tcp::socket& socket() { return socket_; }

 private:
  asio::ip::tcp::socket socket_;
  std::string received_;
};

// A server on a loopback port of its own, with the test's clock. A test's body starts it, and
// awaits `server_->close()` at its end.
class ServerTest : public LoopTest {
 protected:
  void serve(Handler handler);
  RawClient connect() { return RawClient(executor(), server_->port()); }
  // Lets pass what a limit allows, and the time until somebody looks.
  Async<> let_run_out(Duration limit) { return let_pass(limit + limits_.watch_interval); }

  // What the handlers below were asked.
  std::vector<Request> requests_;
  void note(Request asked);
  // Answers with `response` and notes the request.
  Handler answering(Response response);
  // Answers with "METHOD path: body" as text, and notes the request.
  Handler echoing();

  ServerLimits limits_;
  SeededRandom random_{7};
  std::unique_ptr<Server> server_;
};

Response text_response(std::string text);
std::size_t count_of(std::string_view text, std::string_view wanted);

}  // namespace capstan
