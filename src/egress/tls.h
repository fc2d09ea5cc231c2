#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "egress/destination.h"

struct ssl_ctx_st;
struct ssl_st;

namespace capstan {

// Whose certificates are believed: the authorities of this system. They are read at the first use.
class TlsTrust {
 public:
  TlsTrust() = default;
  ~TlsTrust();
  TlsTrust(const TlsTrust&) = delete;
  TlsTrust& operator=(const TlsTrust&) = delete;

 private:
  friend class TlsClient;
  ssl_ctx_st* context();

  ssl_ctx_st* context_ = nullptr;
};

// The client's side of TLS, without I/O: encrypted bytes go in and come out, and plain ones do.
// The server must show a certificate for `host`. Whatever fails throws unavailable.
class TlsClient {
 public:
  TlsClient(TlsTrust& trust, const Host& host);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // Encrypted bytes that have come, and those that must be sent.
  void feed(std::string_view bytes);
  std::string take_output();

  // Goes on with the handshake; true once it is done. Until then there is output to send, or more
  // must come.
  bool shake_hands();

  enum class Reading { bytes, nothing_yet, end };
  // Decrypts as much as there is and as `buffer` holds, and puts the number into `count`.
  Reading read(std::span<char> buffer, std::size_t* count);
  // Encrypts all of it; of no more than a buffer at a time.
  void write(std::string_view bytes);
  // Says that nothing more will be written.
  void end_writing();

 private:
  [[noreturn]] void fail() const;

  ssl_st* session_;
};

}  // namespace capstan
