#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "io/file.h"

struct bio_st;
struct evp_pkey_st;
struct ssl_ctx_st;
struct ssl_st;
struct x509_st;

namespace capstan {

// A key, and a certificate for it that nobody else has signed. While it lives it can be the one
// authority that this process believes.
class TestCertificate {
 public:
  // `names` as in a certificate: "DNS:proxy.test", "IP:127.0.0.1".
  explicit TestCertificate(const std::string& names);
  ~TestCertificate();
  TestCertificate(const TestCertificate&) = delete;
  TestCertificate& operator=(const TestCertificate&) = delete;

  void trust();

 private:
  friend class TlsServer;
  evp_pkey_st* key_;
  x509_st* certificate_;
  TemporaryFolder folder_;
};

// The server's side of TLS, without I/O.
class TlsServer {
 public:
  explicit TlsServer(const TestCertificate& certificate);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  // Takes encrypted bytes, and returns the plain ones in them; goes on with the handshake.
  std::string take(std::string_view bytes);
  void write(std::string_view bytes);
  void end_writing();
  std::string take_output();

  bool is_ready() const;          // the handshake is done
  bool has_ended() const;         // the client has said that nothing more will come
  std::string asked_for() const;  // the name that the client expects here

 private:
  ssl_ctx_st* context_;
  ssl_st* session_;
};

}  // namespace capstan
