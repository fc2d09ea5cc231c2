#include "egress/proxy_connection.h"

#include "egress/tunnel.h"
#include "http/response_head.h"

namespace capstan {
namespace {

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::permission_denied:
      return 403;
    case ErrorCode::resource_exhausted:
      return 503;
    case ErrorCode::deadline_exceeded:
      return 504;
    default:
      return 502;
  }
}

// A page that is shown this must not take it for a page of the origin's that can do anything.
std::string fault_answer(const ProxyFault& fault, bool is_head) {
  std::string body = "Capstan: " + fault.message + "\n";
  std::string answer = "HTTP/1.1 " + std::to_string(fault.status) + " ";
  answer += reason_of(fault.status);
  answer +=
      "\r\nContent-Type: text/plain; charset=utf-8\r\n"
      "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nConnection: close\r\n"
      "Content-Length: " +
      std::to_string(body.size()) + "\r\n\r\n";
  return is_head ? answer : answer + body;
}

}  // namespace

ProxyConnection::ProxyConnection(asio::ip::tcp::socket socket, const WayOut& way,
                                 const GatewayLimits& limits, Dialer& dialer, Ledger& ledger)
    : way_(way),
      limits_(limits),
      dialer_(dialer),
      ledger_(ledger),
      client_(std::move(socket), way.clock, nullptr),
      from_client_(limits.buffer_bytes),
      from_outside_(limits.buffer_bytes) {}

Async<> ProxyConnection::live() {
  Next next = Next::request;
  while (next == Next::request) {
    next = co_await serve_one();
  }
  outside_.reset();
  if (next == Next::goodbye) {
    co_await linger();
  }
}

void ProxyConnection::end() { client_.break_off(); }

void ProxyConnection::check_deadlines(SteadyTime now) {
  client_.check_deadline(now);
  if (outside_) {
    outside_->check_deadline(now);
  }
}

Async<ProxyConnection::Next> ProxyConnection::serve_one() {
  HeadReader reader(HeadReader::Manner::strict,
                    {limits_.request_head_bytes_max, limits_.headers_max});
  if (!co_await read_head(&reader)) {
    co_return Next::nothing;
  }
  if (reader.state() != HeadReader::State::done) {
    co_return co_await refuse(fault_of(reader.state()), false);
  }
  auto reading = read_proxy_request(reader.head());
  if (auto* fault = std::get_if<ProxyFault>(&reading)) {
    co_return co_await refuse(std::move(*fault), false);
  }
  auto request = std::get<ProxyRequest>(std::move(reading));
  if (request.is_tunnel) {
    co_return co_await serve_tunnel(std::move(request));
  }
  co_return co_await serve_request(std::move(request));
}

// False if the client has gone, or is too slow.
Async<bool> ProxyConnection::read_head(HeadReader* reader) {
  client_.allow_silence(limits_.idle_time_max);
  idle_since_ = way_.clock.now();
  while (reader->state() == HeadReader::State::reading) {
    if (from_client_.is_empty() && co_await client_.read(&from_client_) != Wire::Reading::bytes) {
      idle_since_.reset();
      co_return false;
    }
    if (idle_since_) {
      idle_since_.reset();
      client_.end_by(way_.clock.now() + limits_.head_time_max);
    }
    from_client_.drop(reader->feed(from_client_.bytes()));
  }
  client_.allow_silence(limits_.silence_max);
  co_return true;
}

Async<ProxyConnection::Next> ProxyConnection::serve_tunnel(ProxyRequest request) {
  outside_.reset();
  auto outcome = co_await outcome_of(dialer_.dial(request.destination));
  if (!outcome.ok()) {
    co_return co_await refuse(fault_of_dialling(request.destination, outcome.error()), false);
  }
  outside_ = std::move(outcome).take();
  from_outside_.release();
  if (co_await client_.write("HTTP/1.1 200 Connection Established\r\n\r\n")) {
    co_await run_tunnel();
  }
  co_return Next::nothing;
}

Async<> ProxyConnection::run_tunnel() {
  Tunnel tunnel(way_.executor, limits_, {&client_, &from_client_},
                {outside_.get(), &from_outside_});
  co_await tunnel.run();
}

Async<ProxyConnection::Next> ProxyConnection::serve_request(ProxyRequest request) {
  bool is_reused = can_reuse(request.destination);
  while (true) {
    if (!is_reused) {
      outside_.reset();
      auto outcome = co_await outcome_of(dialer_.dial_for_http(request.destination));
      if (!outcome.ok()) {
        co_return co_await refuse(fault_of_dialling(request.destination, outcome.error()),
                                  request.is_head());
      }
      outside_ = std::move(outcome).take();
      outside_place_ = request.destination.text();
      from_outside_.release();
    }
    ProxyFault fault{502, {}};
    auto result = co_await exchange(request, &fault);
    // The origin may have closed the connection just when the request was on its way. It has not
    // seen it then; but whether another kind may be repeated, only the client can know. It sees the
    // same as it would have without us.
    if (result == Exchange::Result::unanswered && is_reused) {
      if (!request.is_repeatable()) {
        co_return Next::nothing;
      }
      is_reused = false;
      continue;
    }
    co_return co_await end_exchange(std::move(request), result, std::move(fault));
  }
}

bool ProxyConnection::can_reuse(const Destination& destination) {
  return outside_ && outside_place_ == destination.text() && from_outside_.is_empty() &&
         outside_->peek() == Wire::Peeking::nothing;
}

Async<Exchange::Result> ProxyConnection::exchange(ProxyRequest request, ProxyFault* fault) {
  bool is_proxied = dialer_.is_http_proxied();
  Exchange exchange(way_.executor, way_.clock, limits_,
                    {.client = {&client_, &from_client_},
                     .origin = {outside_.get(), &from_outside_},
                     .request = request,
                     .is_proxy = is_proxied});
  auto result = co_await exchange.run(is_proxied ? absolute_head(request, dialer_.authorization())
                                                 : origin_head(request));
  *fault = exchange.fault();
  client_goes_on_ = exchange.client_goes_on();
  if (result == Exchange::Result::done) {
    if (from_outside_.is_empty()) {
      from_outside_.release();
    }
    if (exchange.origin_goes_on()) {
      outside_->allow_silence(limits_.idle_time_max);
    } else {
      outside_.reset();
    }
  }
  co_return result;
}

Async<ProxyConnection::Next> ProxyConnection::end_exchange(ProxyRequest request,
                                                           Exchange::Result result,
                                                           ProxyFault fault) {
  switch (result) {
    case Exchange::Result::done:
      co_return client_goes_on_ ? Next::request : Next::goodbye;
    case Exchange::Result::switched:
      co_await run_tunnel();
      co_return Next::nothing;
    case Exchange::Result::unanswered:
      fault.message = request.destination.text() + " closes the connection without an answer";
      co_return co_await refuse(std::move(fault), request.is_head());
    case Exchange::Result::faulty:
      co_return co_await refuse(std::move(fault), request.is_head());
    case Exchange::Result::proxy_refused: {
      Error error = dialer_.upstream_error(dialer_.authorization().empty()
                                               ? "wants a user name and password"
                                               : "does not accept the user name or password");
      ledger_.note_upstream_failure(error.message());
      co_return co_await refuse({502, error.message()}, request.is_head());
    }
    case Exchange::Result::cut_off:
      client_.reset();
      co_return Next::nothing;
    case Exchange::Result::cut_short:
    case Exchange::Result::abandoned:
      co_return Next::nothing;
  }
  co_return Next::nothing;
}

ProxyFault ProxyConnection::fault_of_dialling(const Destination& destination, const Error& error) {
  if (error.code() == ErrorCode::permission_denied) {
    ledger_.note_refusal(destination.text(), error.message());
  } else if (error.code() == ErrorCode::internal) {
    ledger_.note_failure(error.message(), error.cause());
  }
  return {status_of(error.code()), error.message()};
}

Async<ProxyConnection::Next> ProxyConnection::refuse(ProxyFault fault, bool is_head) {
  outside_.reset();
  std::string answer = fault_answer(fault, is_head);
  co_return co_await client_.write(answer) ? Next::goodbye : Next::nothing;
}

// Closing while the client still sends makes the kernel reset the connection, which can cost the
// client the answer. So what it sends is read and dropped for a while.
Async<> ProxyConnection::linger() {
  co_await client_.end_writing();
  client_.end_by(way_.clock.now() + limits_.lingering_time_max);
  while (co_await client_.read(&from_client_) == Wire::Reading::bytes) {
  }
}

}  // namespace capstan
