#include "egress/wire.h"

#include <cerrno>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>

#include "io/outcome.h"

namespace capstan {
namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
// A record of TLS and its head.
constexpr std::size_t encrypted_bytes_max = std::size_t{17} * 1024;

}  // namespace

Wire::Wire(asio::ip::tcp::socket socket, Clock& clock, Ledger* ledger)
    : socket_(std::move(socket)), clock_(clock), ledger_(ledger) {
  // What is written is meant to go out; the kernel must not wait for more.
  boost::system::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
}

Async<> Wire::start_tls(TlsTrust* trust, Host host) {
  tls_ = std::make_unique<TlsClient>(*trust, host);
  encrypted_ = std::make_unique_for_overwrite<char[]>(encrypted_bytes_max);
  while (true) {
    bool is_done = tls_->shake_hands();
    if (!co_await send_output()) {
      throw Error(ErrorCode::unavailable, "it hangs up in the middle of TLS");
    }
    if (is_done) {
      co_return;
    }
    boost::system::error_code error;
    std::size_t count = co_await receive({encrypted_.get(), encrypted_bytes_max}, &error);
    if (error) {
      throw Error(ErrorCode::unavailable, "it hangs up in the middle of TLS");
    }
    tls_->feed({encrypted_.get(), count});
  }
}

Async<Wire::Reading> Wire::read(ByteBuffer* buffer) {
  std::span<char> room = buffer->room();
  if (!unread_.empty()) {
    std::size_t count = unread_.copy(room.data(), room.size());
    unread_.erase(0, count);
    buffer->filled(count);
    co_return Reading::bytes;
  }
  if (tls_) {
    co_return co_await read_tls(buffer);
  }
  boost::system::error_code error;
  std::size_t count = co_await receive(room, &error);
  buffer->filled(count);
  if (error) {
    co_return error == asio::error::eof ? Reading::end : Reading::broken;
  }
  co_return Reading::bytes;
}

Async<Wire::Reading> Wire::read_tls(ByteBuffer* buffer) {
  while (true) {
    std::size_t count = 0;
    auto outcome = outcome_of_call([&] { return tls_->read(buffer->room(), &count); });
    if (!outcome.ok()) {
      co_return Reading::broken;
    }
    if (outcome.value() != TlsClient::Reading::nothing_yet) {
      buffer->filled(count);
      co_return outcome.value() == TlsClient::Reading::end ? Reading::end : Reading::bytes;
    }
    boost::system::error_code error;
    count = co_await receive({encrypted_.get(), encrypted_bytes_max}, &error);
    if (error) {
      co_return Reading::broken;  // TLS has an end of its own; without it, the stream was cut
    }
    tls_->feed({encrypted_.get(), count});
  }
}

Async<bool> Wire::write(std::string_view bytes) {
  if (!tls_) {
    co_return co_await send(bytes);
  }
  if (!outcome_of_call([&] { tls_->write(bytes); }).ok()) {
    co_return false;
  }
  co_return co_await send_output();
}

Async<> Wire::end_writing() {
  if (tls_) {
    tls_->end_writing();
    co_await send_output();
  }
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

Async<> Wire::wait_readable() {
  if (unread_.empty()) {
    auto [error] = co_await socket_.async_wait(asio::ip::tcp::socket::wait_read, as_result);
    (void)error;  // what is wrong will be seen by reading
  }
}

Wire::Peeking Wire::peek() {
  if (is_broken_) {
    return Peeking::broken;
  }
  if (!unread_.empty()) {
    return Peeking::bytes;
  }
  char byte = 0;
  ssize_t count = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (count >= 0) {
    return count == 0 ? Peeking::end : Peeking::bytes;
  }
  return errno == EAGAIN || errno == EWOULDBLOCK ? Peeking::nothing : Peeking::broken;
}

void Wire::allow_silence(Duration silence) {
  silence_ = silence;
  deadline_ = clock_.now() + silence;
}

void Wire::end_by(SteadyTime time) {
  silence_.reset();
  deadline_ = time;
}

void Wire::note_progress() {
  if (silence_) {
    deadline_ = clock_.now() + *silence_;
  }
}

void Wire::check_deadline(SteadyTime now) {
  if (now >= deadline_ && !is_broken_) {
    is_late_ = true;
    break_off();
  }
}

void Wire::break_off() {
  is_broken_ = true;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Wire::reset() {
  is_broken_ = true;
  boost::system::error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
}

Async<std::size_t> Wire::receive(std::span<char> buffer, boost::system::error_code* error) {
  if (is_broken_) {
    *error = asio::error::operation_aborted;
    co_return 0;
  }
  auto [failure, count] =
      co_await socket_.async_read_some(asio::buffer(buffer.data(), buffer.size()), as_result);
  *error = failure;
  note_progress();
  if (ledger_ != nullptr) {
    ledger_->add_received(count);
  }
  co_return count;
}

Async<bool> Wire::send(std::string_view bytes) {
  while (!bytes.empty()) {
    if (is_broken_) {
      co_return false;
    }
    auto [error, count] =
        co_await socket_.async_write_some(asio::buffer(bytes.data(), bytes.size()), as_result);
    if (error) {
      co_return false;
    }
    note_progress();
    if (ledger_ != nullptr) {
      ledger_->add_sent(count);
    }
    bytes.remove_prefix(count);
  }
  co_return true;
}

Async<bool> Wire::send_output() {
  std::string output = tls_->take_output();
  co_return co_await send(output);
}

}  // namespace capstan
