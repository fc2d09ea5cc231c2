#include "egress/tls_test.h"

#include <cstdlib>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "egress/gateway_test.h"
#include "egress/tls.h"
#include "io/outcome.h"

namespace capstan {

namespace {

constexpr const char* trust_variable = "SSL_CERT_FILE";

void add_extension(X509* certificate, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

}  // namespace

TestCertificate::TestCertificate(const std::string& names)
    : key_(EVP_EC_gen("P-256")), certificate_(X509_new()) {
  X509_set_version(certificate_, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate_), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate_), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate_), 3600);
  X509_set_pubkey(certificate_, key_);
  X509_NAME* name = X509_get_subject_name(certificate_);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
  X509_set_issuer_name(certificate_, name);
  add_extension(certificate_, NID_subject_alt_name, names);
  X509_sign(certificate_, key_, EVP_sha256());
}

TestCertificate::~TestCertificate() {
  X509_free(certificate_);
  EVP_PKEY_free(key_);
  ::unsetenv(trust_variable);
}

void TestCertificate::trust() {
  folder_ = TemporaryFolder(std::filesystem::temp_directory_path(), "capstan-tls-");
  BIO* text = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(text, certificate_);
  std::string pem(BIO_ctrl_pending(text), '\0');
  BIO_read(text, pem.data(), static_cast<int>(pem.size()));
  BIO_free(text);
  auto file = folder_.path() / "trusted.pem";
  write_private_file(file, pem);
  ::setenv(trust_variable, file.c_str(), 1);
}

TlsServer::TlsServer(const TestCertificate& certificate)
    : context_(SSL_CTX_new(TLS_server_method())) {
  SSL_CTX_use_certificate(context_, certificate.certificate_);
  SSL_CTX_use_PrivateKey(context_, certificate.key_);
  session_ = SSL_new(context_);
  SSL_set_bio(session_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_accept_state(session_);
}

TlsServer::~TlsServer() {
  SSL_free(session_);
  SSL_CTX_free(context_);
}

std::string TlsServer::take(std::string_view bytes) {
  BIO_write(SSL_get_rbio(session_), bytes.data(), static_cast<int>(bytes.size()));
  std::string plain;
  std::string piece(16384, '\0');
  std::size_t count = 0;
  while (SSL_read_ex(session_, piece.data(), piece.size(), &count) == 1) {
    plain.append(piece, 0, count);
  }
  return plain;
}

void TlsServer::write(std::string_view bytes) {
  std::size_t count = 0;
  SSL_write_ex(session_, bytes.data(), bytes.size(), &count);
  EXPECT_EQ(count, bytes.size());
}

void TlsServer::end_writing() { SSL_shutdown(session_); }

std::string TlsServer::take_output() {
  std::string bytes(BIO_ctrl_pending(SSL_get_wbio(session_)), '\0');
  BIO_read(SSL_get_wbio(session_), bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

bool TlsServer::is_ready() const { return SSL_is_init_finished(session_) == 1; }

bool TlsServer::has_ended() const {
  return (SSL_get_shutdown(session_) & SSL_RECEIVED_SHUTDOWN) != 0;
}

std::string TlsServer::asked_for() const {
  const char* name = SSL_get_servername(session_, TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? "" : name;
}

namespace {

// Lets both sides talk until the client is content; returns what it complains about.
std::string meet(TlsClient& client, TlsServer& server) {
  for (int turn = 0; turn < 10; ++turn) {
    bool is_done = false;
    auto outcome = outcome_of_call([&] { is_done = client.shake_hands(); });
    if (!outcome.ok()) {
      return outcome.error().message();
    }
    server.take(client.take_output());
    if (is_done) {
      return "";
    }
    client.feed(server.take_output());
  }
  return "no end";
}

std::string meet(TlsTrust& trust, const TestCertificate& certificate, const char* host) {
  TlsClient client(trust, *read_lone_host(host));
  TlsServer server(certificate);
  return meet(client, server);
}

std::string read_all(TlsClient& client, TlsClient::Reading* ending) {
  std::string text;
  std::array<char, 100> buffer{};
  std::size_t count = 0;
  while ((*ending = client.read(buffer, &count)) == TlsClient::Reading::bytes) {
    text.append(buffer.data(), count);
  }
  return text;
}

}  // namespace

TEST(TlsClient, believes_a_certificate_for_the_host_alone) {
  TestCertificate certificate("DNS:proxy.test,DNS:*.wild.test,IP:127.0.0.1,IP:::1");
  certificate.trust();
  TlsTrust trust;
  for (const char* host : {"proxy.test", "PROXY.test.", "a.wild.test", "127.0.0.1", "::1"}) {
    EXPECT_EQ(meet(trust, certificate, host), "") << host;
  }
  for (const char* host :
       {"other.test", "proxy.test.evil.test", "a.b.wild.test", "wild.test", "127.0.0.2", "::2"}) {
    EXPECT_NE(meet(trust, certificate, host).find("its certificate is not believed: "),
              std::string::npos)
        << host;
  }
}

TEST(TlsClient, believes_no_certificate_of_unknown_authority) {
  TestCertificate believed("DNS:proxy.test");
  believed.trust();
  TestCertificate other("DNS:proxy.test");
  TlsTrust trust;
  EXPECT_NE(meet(trust, other, "proxy.test").find("self-signed certificate"), std::string::npos);
}

TEST(TlsClient, carries_bytes_and_knows_the_end_from_a_cut) {
  TestCertificate certificate("DNS:proxy.test");
  certificate.trust();
  TlsTrust trust;
  TlsClient client(trust, *read_host("proxy.test"));
  TlsServer server(certificate);
  ASSERT_EQ(meet(client, server), "");
  EXPECT_EQ(server.asked_for(), "proxy.test");
  const std::string much(100'000, 'x');
  client.write(much);
  EXPECT_TRUE(server.take(client.take_output()) == much);
  server.write(much);
  client.feed(server.take_output());
  auto ending = TlsClient::Reading::end;
  EXPECT_TRUE(read_all(client, &ending) == much);
  EXPECT_EQ(ending, TlsClient::Reading::nothing_yet);
  client.end_writing();
  EXPECT_EQ(server.take(client.take_output()), "");
  EXPECT_TRUE(server.has_ended());
  server.write("still here");
  server.end_writing();
  client.feed(server.take_output());
  EXPECT_EQ(read_all(client, &ending), "still here");
  EXPECT_EQ(ending, TlsClient::Reading::end);
}

TEST(TlsClient, says_that_it_is_not_tls_what_comes) {
  TlsTrust trust;
  TlsClient client(trust, *read_host("proxy.test"));
  client.shake_hands();
  client.feed("HTTP/1.1 400 Bad Request\r\n\r\n");
  auto outcome = outcome_of_call([&] { client.shake_hands(); });
  EXPECT_EQ(outcome.error().message(), "TLS with it failed");
}

// The whole way, through a proxy that is spoken to by TLS.
class TlsProxyTest : public GatewayTest {
 public:
  // Reads and writes through TLS as the proxy.
  struct Proxy {
    Proxy(RawClient line, const TestCertificate& certificate)
        : wire(std::move(line)), tls(certificate) {}

    Async<std::string> read_until(std::string mark) {
      while (received.find(mark) == std::string::npos) {
        received += tls.take(co_await read_some());
        co_await wire.send(tls.take_output());
      }
      std::string text = received.substr(0, received.find(mark) + mark.size());
      received.erase(0, text.size());
      co_return text;
    }
    Async<std::string> read_some() {
      std::string bytes(4096, '\0');
      bytes.resize(
          co_await wire.socket().async_read_some(asio::buffer(bytes), asio::use_awaitable));
      co_return bytes;
    }
    Async<> send(std::string text) {
      tls.write(text);
      co_await wire.send(tls.take_output());
    }

    RawClient wire;
    TlsServer tls;
    std::string received;
  };
};

ASYNC_TEST(TlsProxyTest, goes_through_a_proxy_that_is_spoken_to_by_tls) {
  TestCertificate certificate("IP:127.0.0.1");
  certificate.trust();
  open(upstream(Upstream::Protocol::https, "user", "pass"));
  RawClient client = connect();
  co_await client.send("CONNECT a.test:443 HTTP/1.1\r\nHost: x\r\n\r\n");
  Proxy proxy(co_await server_.accept(), certificate);
  EXPECT_TRUE(
      (co_await proxy.read_until("\r\n\r\n")).starts_with("CONNECT a.test:443 HTTP/1.1\r\n"));
  co_await proxy.send("HTTP/1.1 200 OK\r\n\r\nhello");
  EXPECT_TRUE((co_await client.read_until("hello")).ends_with("\r\n\r\nhello"));
  co_await client.send("question");
  client.end_sending();
  EXPECT_EQ(co_await proxy.read_until("question"), "question");
  while (!proxy.tls.has_ended()) {
    proxy.tls.take(co_await proxy.read_some());
  }
  const std::string much(1'000'000, 'x');
  for (int i = 0; i < 10; ++i) {
    co_await proxy.send(much.substr(0, 100'000));
  }
  proxy.tls.end_writing();
  co_await proxy.wire.send(proxy.tls.take_output());
  EXPECT_TRUE(co_await client.read_to_end() == much);

  RawClient plain = connect();
  co_await plain.send(get_request("http://a.test/"));
  Proxy second(co_await server_.accept(), certificate);
  EXPECT_TRUE(
      (co_await second.read_until("\r\n\r\n")).starts_with("GET http://a.test/ HTTP/1.1\r\n"));
  co_await second.send("HTTP/1.1 200 OK\r\n\r\ncut");
  co_await plain.read_until("cut");
  second.wire.end_sending();
  EXPECT_EQ(co_await plain.read_to_end(), "(reset)") << "an end that TLS did not confirm";
  co_await gateway_->close();
}

ASYNC_TEST(TlsProxyTest, tells_no_password_to_a_proxy_that_cannot_show_who_it_is) {
  TestCertificate believed("IP:127.0.0.1");
  believed.trust();
  TestCertificate other("IP:127.0.0.1");
  open(upstream(Upstream::Protocol::https, "user", "hush"));
  RawClient client = connect();
  co_await client.send("CONNECT a.test:443 HTTP/1.1\r\nHost: x\r\n\r\n");
  Proxy proxy(co_await server_.accept(), other);
  proxy.tls.take(co_await proxy.read_some());
  co_await proxy.wire.send(proxy.tls.take_output());
  std::string answer = co_await client.read_to_end();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n")) << answer;
  EXPECT_NE(answer.find("its certificate is not believed"), std::string::npos) << answer;
  EXPECT_EQ(proxy.tls.take(co_await proxy.wire.read_to_end()), "");
  EXPECT_FALSE(proxy.tls.is_ready());
  co_await gateway_->close();
}

}  // namespace capstan
