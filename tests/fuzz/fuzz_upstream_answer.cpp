#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/text.h"
#include "egress/origin_response.h"
#include "egress/socks5.h"

namespace capstan {
namespace {

// What a SOCKS5 proxy is told and what becomes of it, as one text.
std::string talked(std::string_view bytes, std::size_t piece_bytes) {
  Upstream upstream{.protocol = Upstream::Protocol::socks5, .host = "p.test", .port = 1};
  upstream.username = "u";
  upstream.password = "p";
  Socks5Handshake talk(upstream, *read_destination("a.test:80", std::nullopt));
  std::string said = talk.take_output();
  std::size_t taken = 0;
  while (taken < bytes.size() && talk.state() == Socks5Handshake::State::talking) {
    std::size_t count = talk.feed(bytes.substr(taken, piece_bytes));
    CHECK(count > 0);
    taken += count;
    said += talk.take_output();
  }
  CHECK(said.size() <= 4 + 5 + 13);
  CHECK((talk.state() == Socks5Handshake::State::refused) == !talk.refusal().empty());
  return said + talk.refusal() + std::to_string(static_cast<int>(talk.state())) + " " +
         std::to_string(taken);
}

// What the client reads of an answer is one answer, with one way to say where it ends.
void check_response(const OriginResponse& response) {
  CHECK(response.status >= 100 && response.status <= 999);
  std::string bytes = client_head(response, response.keeps_alive);
  HeadReader reader(HeadReader::Manner::lenient, {10'000, 40});
  CHECK(reader.feed(bytes) == bytes.size());
  CHECK(reader.state() == HeadReader::State::done);
  auto codings = values_of(reader.head().headers, "transfer-encoding");
  auto lengths = values_of(reader.head().headers, "content-length");
  CHECK(codings.size() + lengths.size() <= 1);
  if (response.has_body) {
    CHECK(codings.empty() == (response.body.kind != BodyFraming::Kind::chunked));
    CHECK(lengths.empty() == (response.body.kind != BodyFraming::Kind::length));
    CHECK(lengths.empty() || read_length(lengths.front()) == response.body.length);
    CHECK(response.body.kind != BodyFraming::Kind::until_close || !response.keeps_alive);
  }
  for (const Header& header : reader.head().headers) {
    CHECK(!to_lower(header.name).starts_with("proxy-"));
  }
}

std::string read(const ProxyRequest& request, std::string_view bytes, std::size_t piece_bytes) {
  HeadReader reader(HeadReader::Manner::lenient, {2000, 20});
  std::size_t taken = 0;
  while (taken < bytes.size() && reader.state() == HeadReader::State::reading) {
    std::size_t count = reader.feed(bytes.substr(taken, piece_bytes));
    CHECK(count > 0);
    taken += count;
  }
  if (reader.state() != HeadReader::State::done) {
    return std::to_string(static_cast<int>(reader.state()));
  }
  auto reading = read_origin_response(reader.head(), request);
  if (auto* fault = std::get_if<std::string>(&reading)) {
    CHECK(!fault->empty());
    return *fault;
  }
  auto& response = std::get<OriginResponse>(reading);
  check_response(response);
  BodyMeter meter(response.has_body ? response.body : BodyFraming{});
  while (taken < bytes.size() && meter.state() == BodyMeter::State::reading) {
    taken += meter.feed(bytes.substr(taken, piece_bytes));
  }
  return client_head(response, true) + std::to_string(taken) +
         std::to_string(static_cast<int>(meter.state()));
}

void check_http(std::string_view bytes, const std::string& method, const std::string& upgrade) {
  ProxyRequest request;
  request.method = method;
  request.upgrade = upgrade;
  std::string at_once = read(request, bytes, std::max<std::size_t>(bytes.size(), 1));
  CHECK(read(request, bytes, 1) == at_once);
  CHECK(read(request, bytes, 7) == at_once);
}

}  // namespace
}  // namespace capstan

// Whatever a proxy or an origin answers is read the same however its bytes are cut, and what the
// client gets of it can be read in one way only.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace capstan;
  std::string_view text(reinterpret_cast<const char*>(bytes), size);
  std::string at_once = talked(text, std::max<std::size_t>(size, 1));
  CHECK(talked(text, 1) == at_once);
  CHECK(talked(text, 3) == at_once);
  check_http(text, "GET", "websocket");
  check_http(text, "HEAD", "");
  return 0;
}
