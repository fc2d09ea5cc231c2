#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>

#include "egress/byte_buffer.h"
#include "egress/ledger.h"
#include "egress/tls.h"
#include "io/clock.h"

namespace capstan {

// One TCP connection as a stream of bytes, through TLS once start_tls() has succeeded. One
// coroutine may read while another one writes. That the other side fails is nothing unheard of, so
// it is told by values.
class Wire {
 public:
  // `ledger` counts the bytes of a wire to the outside; null for the client's.
  Wire(asio::ip::tcp::socket socket, Clock& clock, Ledger* ledger);

  // Throws unavailable, saying what is wrong with the other side.
  Async<> start_tls(TlsTrust* trust, Host host);

  // The next bytes, as many as there are: fills the buffer, which is empty.
  enum class Reading { bytes, end, broken };
  Async<Reading> read(ByteBuffer* buffer);
  // Writes all; the bytes stay alive until then. False if the other side takes no more.
  Async<bool> write(std::string_view bytes);
  // Says that nothing more will come from here; reading goes on.
  Async<> end_writing();
  // Waits until there is something to read, or the end has come, and leaves it there.
  Async<> wait_readable();

  // What reading would meet now.
  enum class Peeking { nothing, bytes, end, broken };
  Peeking peek();

  // From now on the wire is broken off when nothing was read or written for so long.
  void allow_silence(Duration silence);
  // It is broken off at that time, whatever comes.
  void end_by(SteadyTime time);
  // Called every now and then: breaks off what has taken too long.
  void check_deadline(SteadyTime now);
  bool is_late() const { return is_late_; }

  // Whoever reads or writes is told that it is broken, now and from now on.
  void break_off();
  // The same, and the other side sees that the stream did not end here (RST).
  void reset();

  // Bytes that were read too far; they come again.
  void unread(std::string_view bytes) { unread_ += bytes; }

 private:
  void note_progress();
  Async<std::size_t> receive(std::span<char> buffer, boost::system::error_code* error);
  Async<Reading> read_tls(ByteBuffer* buffer);
  Async<bool> send(std::string_view bytes);
  Async<bool> send_output();

  asio::ip::tcp::socket socket_;
  Clock& clock_;
  Ledger* ledger_;
  std::unique_ptr<TlsClient> tls_;
  std::unique_ptr<char[]> encrypted_;  // what comes, before it is decrypted
  std::string unread_;
  bool is_broken_ = false;
  bool is_late_ = false;
  std::optional<Duration> silence_;
  SteadyTime deadline_ = SteadyTime::max();
};

}  // namespace capstan
