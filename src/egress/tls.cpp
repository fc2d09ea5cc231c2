#include "egress/tls.h"

#include <array>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/check.h"
#include "base/error.h"

namespace capstan {
namespace {

std::string openssl_reason() {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_peek_last_error(), text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

}  // namespace

ssl_ctx_st* TlsTrust::context() {
  if (context_ != nullptr) {
    return context_;
  }
  context_ = SSL_CTX_new(TLS_client_method());
  CHECK(context_ != nullptr);
  SSL_CTX_set_min_proto_version(context_, TLS1_2_VERSION);
  SSL_CTX_set_options(context_, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context_, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
  // Without any authority every certificate is refused, which is the safe side.
  SSL_CTX_set_default_verify_paths(context_);
  ERR_clear_error();
  return context_;
}

TlsTrust::~TlsTrust() { SSL_CTX_free(context_); }

TlsClient::TlsClient(TlsTrust& trust, const Host& host) : session_(SSL_new(trust.context())) {
  CHECK(session_ != nullptr);
  SSL_set_bio(session_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(session_);
  bool is_set = true;
  if (host.address) {
    is_set = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session_),
                                           host.address->to_string().c_str()) == 1;
  } else {
    const std::string name(host.name());
    SSL_set_hostflags(session_, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    is_set = SSL_set1_host(session_, name.c_str()) == 1 &&
             SSL_set_tlsext_host_name(session_, name.c_str()) == 1;
  }
  CHECK(is_set);
  // HTTP/2 is not spoken here.
  constexpr std::string_view protocols = "\x08http/1.1";
  SSL_set_alpn_protos(session_, reinterpret_cast<const unsigned char*>(protocols.data()),
                      static_cast<unsigned>(protocols.size()));
}

TlsClient::~TlsClient() { SSL_free(session_); }

void TlsClient::feed(std::string_view bytes) {
  int count = BIO_write(SSL_get_rbio(session_), bytes.data(), static_cast<int>(bytes.size()));
  CHECK(count == static_cast<int>(bytes.size()));
}

std::string TlsClient::take_output() {
  BIO* output = SSL_get_wbio(session_);
  std::string bytes(BIO_ctrl_pending(output), '\0');
  if (!bytes.empty()) {
    BIO_read(output, bytes.data(), static_cast<int>(bytes.size()));
  }
  return bytes;
}

bool TlsClient::shake_hands() {
  ERR_clear_error();
  int result = SSL_do_handshake(session_);
  if (result == 1) {
    return true;
  }
  if (SSL_get_error(session_, result) != SSL_ERROR_WANT_READ) {
    fail();
  }
  return false;
}

TlsClient::Reading TlsClient::read(std::span<char> buffer, std::size_t* count) {
  *count = 0;
  ERR_clear_error();
  int result = SSL_read_ex(session_, buffer.data(), buffer.size(), count);
  if (result == 1) {
    return Reading::bytes;
  }
  switch (SSL_get_error(session_, result)) {
    case SSL_ERROR_WANT_READ:
      return Reading::nothing_yet;
    case SSL_ERROR_ZERO_RETURN:
      return Reading::end;
    default:
      fail();
  }
}

void TlsClient::write(std::string_view bytes) {
  std::size_t written = 0;
  ERR_clear_error();
  if (!bytes.empty() && SSL_write_ex(session_, bytes.data(), bytes.size(), &written) != 1) {
    fail();
  }
}

void TlsClient::end_writing() {
  ERR_clear_error();
  SSL_shutdown(session_);
  ERR_clear_error();
}

void TlsClient::fail() const {
  long verdict = SSL_get_verify_result(session_);
  if (verdict != X509_V_OK) {
    throw Error(ErrorCode::unavailable, std::string("its certificate is not believed: ") +
                                            X509_verify_cert_error_string(verdict));
  }
  throw Error(ErrorCode::unavailable, "TLS with it failed", openssl_reason());
}

}  // namespace capstan
