#include "http/connection.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/sendfile.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>

#include "base/id.h"
#include "base/log.h"
#include "io/outcome.h"
#include "io/websocket.h"

namespace capstan {
namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// A disk that has to be asked holds up the loop, and with it everybody, for as long as it takes to
// read one piece, and that is some milliseconds; the kernel reads ahead, so most pieces are there.
// Each piece is a turn of the loop, so that others get theirs.
constexpr std::uint64_t file_piece_bytes = std::uint64_t{256} * 1024;

// Hands the kernel the next piece, which goes from its cache to the socket without passing through
// us, and gives how much of it was taken. Throws unavailable when the client has gone.
std::uint64_t send_piece(int socket, const FileBody& body) {
  auto offset = static_cast<off_t>(body.offset);
  ssize_t count =
      ::sendfile(socket, body.file->get(), &offset, std::min(body.length, file_piece_bytes));
  if (count > 0) {
    return static_cast<std::uint64_t>(count);
  }
  if (count == 0) {
    throw Error(ErrorCode::internal, "a file can't be sent to its end", "it has become shorter");
  }
  if (errno == EPIPE || errno == ECONNRESET) {
    throw Error(ErrorCode::unavailable, "the client has gone");
  }
  if (errno != EAGAIN && errno != EINTR) {
    throw Error(ErrorCode::internal, "a file can't be sent to its end", std::strerror(errno));
  }
  return 0;
}

std::string to_text(const asio::ip::tcp::socket& socket) {
  boost::system::error_code error;
  auto endpoint = socket.remote_endpoint(error);
  if (error) {
    return "gone";
  }
  std::string address = endpoint.address().to_string();
  if (endpoint.address().is_v6()) {
    address = "[" + address + "]";
  }
  return address + ":" + std::to_string(endpoint.port());
}

// What stands in the place of an answer that there is no room for. Its headers stay: they may name
// what the request made.
Response refuse_long_answer(Response answer, Method method) {
  bool can_be_repeated = method == Method::get || method == Method::head;
  Response refusal = error_response(
      503, can_be_repeated ? "the server holds too many long answers at the moment; ask again"
                           : "the request is done, but its answer is long, and the server holds "
                             "too many of those at the moment; ask for what it made");
  for (Header& header : answer.headers) {
    if (header.name != "content-type") {
      refusal.headers.push_back(std::move(header));
    }
  }
  // The official SDK repeats any 503 unless it is told not to.
  refusal.headers.push_back(can_be_repeated ? Header{"retry-after", "1"}
                                            : Header{"x-should-retry", "false"});
  return refusal;
}

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, Clock& clock, Random& random,
                       const ServerLimits& limits, ServerAccounts& accounts, const Handler& handler)
    : socket_(std::move(socket)),
      clock_(clock),
      random_(random),
      limits_(limits),
      accounts_(accounts),
      handler_(handler),
      remote_(to_text(socket_)) {
  // An answer goes out in one piece; the kernel must not wait for more.
  boost::system::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

Async<> Connection::live() {
  Next next = Next::request;
  while (next == Next::request) {
    RequestParser parser(limits_);
    bool is_whole = co_await read_request(&parser);
    std::string id = parser.request_id();
    if (id.empty()) {
      id = make_uuid(clock_.wall_now(), random_);
    }
    if (is_whole) {
      Request request = parser.take();
      request.id = std::move(id);
      request.body_share = std::move(body_share_);
      Asked asked = note(request, parser);
      next = co_await answer(std::move(request), std::move(asked));
    } else if (parser.has_begun()) {
      next = co_await refuse(why_not_whole(parser), std::move(id));
    } else {
      next = Next::nothing;
    }
    body_share_.reset();
  }
  if (next == Next::goodbye) {
    co_await linger();
  }
}

void Connection::finish() {
  finishing_ = true;
  if (is_idle_) {
    boost::system::error_code ignored;
    socket_.cancel(ignored);
  }
}

void Connection::check_deadline(SteadyTime now) {
  if (now >= deadline_) {
    deadline_ = SteadyTime::max();
    is_late_ = true;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
  }
}

Refusal Connection::why_not_whole(const RequestParser& parser) const {
  if (parser.state() == RequestParser::State::refused) {
    return parser.refusal();
  }
  if (!has_body_room_) {
    return {503,
            "the server holds too many large bodies at the moment; try again",
            {{"retry-after", "1"}}};
  }
  return is_late_ ? parser.too_slow() : parser.cut_short();
}

// Reads one whole request. False if it is refused or doesn't come; the parser knows how far it got.
Async<bool> Connection::read_request(RequestParser* parser) {
  using State = RequestParser::State;
  const SteadyTime begun = clock_.now();
  SteadyTime deadline = begun + limits_.idle_time_max;
  SteadyTime body_deadline = SteadyTime::max();
  bool had_begun = false;
  bool is_continued = false;
  while (true) {
    if (begin_ == end_) {
      is_idle_ = !parser->has_begun();
      bool is_there = !(is_idle_ && finishing_) && co_await receive(deadline);
      is_idle_ = false;
      if (!is_there) {
        co_return false;
      }
    }
    State before = parser->state();
    begin_ += parser->feed(received());
    has_body_room_ = make_room_for_body(parser->body_bytes());
    if (!has_body_room_) {
      co_return false;
    }
    if (parser->state() == State::done) {
      co_return true;
    }
    if (parser->state() == State::refused) {
      co_return false;
    }
    if (!parser->has_begun()) {
      continue;
    }
    SteadyTime now = clock_.now();
    if (!had_begun) {
      had_begun = true;
      deadline = now + limits_.header_time_max;
    }
    if (parser->state() == State::body) {
      if (before == State::head) {
        body_deadline = now + limits_.body_time_max;
      }
      deadline = std::min(body_deadline, now + limits_.body_silence_max);
      if (begin_ == end_ && parser->expects_continue() && !is_continued) {
        is_continued = true;
        if (!co_await send("HTTP/1.1 100 Continue\r\n\r\n", {})) {
          co_return false;
        }
      }
    }
  }
}

bool Connection::make_room_for_body(std::size_t bytes) {
  if (!body_share_ && bytes > 0) {
    body_share_ = std::make_shared<ByteBudget::Share>(accounts_.bodies, limits_.small_bytes_max);
  }
  return !body_share_ || body_share_->set(bytes);
}

Connection::Asked Connection::note(const Request& request, const RequestParser& parser) const {
  Asked asked;
  asked.id = request.id;
  asked.method = request.method;
  asked.path = request.path;
  asked.keeps_alive = parser.keeps_alive();
  asked.is_http_1_0 = parser.is_http_1_0();
  if (request.wants_upgrade) {
    asked.websocket_key = request.header("sec-websocket-key").value_or("");
  }
  return asked;
}

// What a stream or a WebSocket ended with. A client that leaves is nobody's failure.
void Connection::log_failure(std::string_view event, const Asked& asked, const Error& error) {
  if (error.code() != ErrorCode::cancelled && error.code() != ErrorCode::unavailable) {
    log_error(event, {{"request", asked.id},
                      {"path", asked.path},
                      {"message", error.message()},
                      {"cause", error.cause()}});
  }
}

Async<Connection::Next> Connection::answer(Request request, Asked asked) {
  request.remote = remote_;
  auto outcome = co_await outcome_of(handle(std::move(request)));
  auto cancellation = co_await asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != asio::cancellation_type::none) {
    throw Error(ErrorCode::cancelled, "cancelled");
  }
  ++requests_;
  Response response;
  if (outcome.ok()) {
    response = std::move(outcome).take();
  } else {
    log_error("request_failed", {{"request", asked.id},
                                 {"method", to_text(asked.method)},
                                 {"path", asked.path},
                                 {"message", outcome.error().message()},
                                 {"cause", outcome.error().cause()}});
    response = error_response(500, "internal error");
  }
  if (response.upgrade && !asked.websocket_key.empty()) {
    co_await hand_over(std::move(response), std::move(asked));
    co_return Next::nothing;
  }
  if (response.upgrade) {
    response = error_response(426, "this path speaks WebSocket only");
    response.headers.push_back({"upgrade", "websocket"});
  }
  co_return co_await answer_with(std::move(response), std::move(asked));
}

// However slowly the client reads, its answer counts as long as it is held. A refusal is never
// refused: its status says more than ours would.
Async<Connection::Next> Connection::answer_with(Response response, Asked asked) {
  ByteBudget::Share share(accounts_.answers, limits_.small_bytes_max);
  if (response.status < 400 && !share.set(response.body.size())) {
    note_refusal(asked.id, 503,
                 "no room for an answer of " + std::to_string(response.body.size()) + " bytes");
    response = refuse_long_answer(std::move(response), asked.method);
  }
  co_return co_await send_response(std::move(response), std::move(asked));
}

// A coroutine of its own, so that a handler that throws before it suspends is caught as well.
Async<Response> Connection::handle(Request request) {
  co_return co_await handler_(std::move(request));
}

void Connection::note_refusal(std::string_view id, int status, std::string_view message) {
  if (accounts_.refusals_told.may_tell(clock_.now())) {
    log_info("request_refused", {{"request", id},
                                 {"remote", remote_},
                                 {"status", status},
                                 {"message", message},
                                 {"untold", accounts_.refusals_told.take_untold()}});
  }
}

Async<Connection::Next> Connection::refuse(Refusal refusal, std::string id) {
  note_refusal(id, refusal.status, refusal.message);
  Response response = error_response(refusal.status, refusal.message);
  for (Header& header : refusal.headers) {
    response.headers.push_back(std::move(header));
  }
  Asked asked;
  asked.id = std::move(id);
  co_return co_await send_response(std::move(response), std::move(asked));
}

Async<Connection::Next> Connection::send_response(Response response, Asked asked) {
  bool is_streamed = static_cast<bool>(response.stream);
  ResponseFraming framing;
  framing.request_id = asked.id;
  framing.now = clock_.wall_now();
  framing.is_http_1_0 = asked.is_http_1_0;
  // Where HTTP/1.0 has no length, the connection's end is the body's end.
  framing.keeps_alive = asked.keeps_alive && !finishing_ &&
                        requests_ < limits_.requests_per_connection_max &&
                        !(is_streamed && asked.is_http_1_0);
  if (!is_streamed) {
    framing.body_bytes = response.file ? response.file->length : response.body.size();
  }
  auto head = response_head(response.status, response.headers, framing);
  if (!head) {
    log_error("response_malformed", {{"request", asked.id}, {"path", asked.path}});
    response = error_response(500, "internal error");
    is_streamed = false;
    framing.body_bytes = response.body.size();
    head = response_head(response.status, response.headers, framing);
  }
  bool bears_body = has_body(response.status) && asked.method != Method::head;
  const SteadyTime deadline = clock_.now() + limits_.answer_time_max;
  bool is_sent = co_await send(*head, bears_body ? response.body : std::string_view(), deadline);
  if (is_sent && response.file && bears_body) {
    is_sent = co_await send_file(std::move(*response.file), std::move(asked), deadline);
  } else if (is_sent && is_streamed && bears_body) {
    is_sent = co_await send_stream(std::move(response), std::move(asked));
  }
  if (!is_sent) {
    co_return Next::nothing;
  }
  co_return framing.keeps_alive ? Next::request : Next::goodbye;
}

Async<bool> Connection::send_file(FileBody body, Asked asked, SteadyTime deadline) {
  auto outcome = co_await outcome_of(run_file(std::move(body), deadline));
  if (!outcome.ok()) {
    log_failure("file_failed", asked, outcome.error());
  }
  co_return outcome.ok();
}

// A client that has gone makes sendfile(2) raise SIGPIPE, which a server's process ignores.
Async<> Connection::run_file(FileBody body, SteadyTime deadline) {
  socket_.native_non_blocking(true);
  while (body.length > 0) {
    if (!co_await can_send(deadline)) {
      throw Error(ErrorCode::unavailable, "the client has gone");
    }
    std::uint64_t count = send_piece(socket_.native_handle(), body);
    body.offset += count;
    body.length -= count;
  }
}

Async<bool> Connection::send_stream(Response response, Asked asked) {
  bool is_chunked = !asked.is_http_1_0;
  BodyWriter writer([this, is_chunked](std::string piece) {
    return write_piece(is_chunked ? to_chunk(piece) : std::move(piece));
  });
  auto outcome = co_await outcome_of(run_stream(&response, &writer));
  if (!outcome.ok()) {
    log_failure("stream_failed", asked, outcome.error());
    co_return false;
  }
  co_return !is_chunked || co_await send(last_chunk, {});
}

Async<> Connection::run_stream(Response* response, BodyWriter* writer) {
  co_await response->stream(*writer);
}

Async<> Connection::write_piece(std::string piece) {
  ByteBudget::Share share(accounts_.answers, limits_.small_bytes_max);
  if (!share.set(piece.size())) {
    throw Error(ErrorCode::unavailable, "the server holds too many long answers at the moment");
  }
  if (!co_await send(piece, {}, clock_.now() + limits_.answer_time_max)) {
    throw Error(ErrorCode::unavailable, "the client has gone");
  }
}

Async<> Connection::hand_over(Response response, Asked asked) {
  WebSocket::Handshake handshake;
  handshake.key = asked.websocket_key;
  handshake.received = received();
  handshake.headers.emplace_back("x-request-id", asked.id);
  auto outcome = co_await outcome_of(run_upgrade(&response, std::move(handshake)));
  if (!outcome.ok()) {
    log_failure("websocket_failed", asked, outcome.error());
  }
}

Async<> Connection::run_upgrade(Response* response, WebSocket::Handshake handshake) {
  auto websocket = co_await WebSocket::accept(std::move(socket_), &clock_, std::move(handshake),
                                              limits_.websocket, &accounts_.messages);
  co_await response->upgrade(std::move(websocket));
}

// Closing while the client still sends makes the kernel reset the connection, which can cost the
// client the answer. So what it sends is read and dropped for a while.
Async<> Connection::linger() {
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  const SteadyTime deadline = clock_.now() + limits_.lingering_time_max;
  while (co_await receive(deadline)) {
  }
}

// Puts the next bytes into the buffer, which is empty. False at the end of the stream, when the
// line breaks, and when the deadline has passed.
Async<bool> Connection::receive(SteadyTime deadline) {
  is_late_ = false;
  deadline_ = deadline;
  auto [error, count] = co_await socket_.async_read_some(asio::buffer(buffer_), as_result);
  deadline_ = SteadyTime::max();
  begin_ = 0;
  end_ = count;
  co_return !error;
}

Async<bool> Connection::send(std::string_view first, std::string_view second, SteadyTime deadline) {
  while (!first.empty() || !second.empty()) {
    is_late_ = false;
    deadline_ = std::min(deadline, clock_.now() + limits_.write_silence_max);
    std::array<asio::const_buffer, 2> bytes = {asio::buffer(first), asio::buffer(second)};
    auto [error, count] = co_await socket_.async_write_some(bytes, as_result);
    deadline_ = SteadyTime::max();
    if (error) {
      co_return false;
    }
    std::size_t of_first = std::min(count, first.size());
    first.remove_prefix(of_first);
    second.remove_prefix(count - of_first);
  }
  co_return true;
}

Async<bool> Connection::can_send(SteadyTime deadline) {
  is_late_ = false;
  deadline_ = std::min(deadline, clock_.now() + limits_.write_silence_max);
  auto [error] = co_await socket_.async_wait(asio::ip::tcp::socket::wait_write, as_result);
  deadline_ = SteadyTime::max();
  co_return !error;
}

}  // namespace capstan
