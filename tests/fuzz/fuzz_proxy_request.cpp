#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "egress/proxy_request.h"

namespace capstan {
namespace {

constexpr HeadLimits limits{2000, 20};

Head read_strictly(std::string_view bytes) {
  HeadReader reader(HeadReader::Manner::strict, {10'000, 40});
  CHECK(reader.feed(bytes) == bytes.size());
  CHECK(reader.state() == HeadReader::State::done);
  return reader.head();
}

// What an origin reads is one request, with one way to say where it ends.
void check_head(const ProxyRequest& request, std::string_view bytes) {
  Head head = read_strictly(bytes);
  CHECK(values_of(head.headers, "host").size() == 1);
  auto codings = values_of(head.headers, "transfer-encoding");
  auto lengths = values_of(head.headers, "content-length");
  bool is_chunked = request.body.kind == BodyFraming::Kind::chunked;
  bool has_length = request.body.kind == BodyFraming::Kind::length;
  CHECK(codings.size() == (is_chunked ? 1U : 0U));
  CHECK(lengths.size() == (has_length ? 1U : 0U));
  CHECK(!has_length || read_length(lengths.front()) == request.body.length);
  CHECK(values_of(head.headers, "connection").size() == 1);
  CHECK(values_of(head.headers, "upgrade").size() == (request.upgrade.empty() ? 0U : 1U));
}

void check_request(const ProxyRequest& request) {
  CHECK(request.destination.port != 0);
  auto again = read_destination(request.destination.text(), std::nullopt);
  CHECK(again && again->text() == request.destination.text());
  if (request.is_tunnel) {
    return;
  }
  CHECK(request.target.starts_with('/') || request.target == "*");
  std::string for_origin = origin_head(request);
  check_head(request, for_origin);
  CHECK(values_of(read_strictly(for_origin).headers, "proxy-authorization").empty());
  // A proxy on the way reads the same as we did.
  std::string for_proxy = absolute_head(request, "Basic x");
  check_head(request, for_proxy);
  auto reading = read_proxy_request(read_strictly(for_proxy));
  auto* second = std::get_if<ProxyRequest>(&reading);
  CHECK(second != nullptr && !second->is_tunnel);
  CHECK(second->destination.text() == request.destination.text());
  CHECK(second->method == request.method && second->target == request.target);
  CHECK(second->body.kind == request.body.kind && second->body.length == request.body.length);
  CHECK(second->upgrade == request.upgrade);
}

// What is read of one request, as one text.
std::string parsed(std::string_view bytes, std::size_t piece_bytes) {
  HeadReader reader(HeadReader::Manner::strict, limits);
  std::size_t taken = 0;
  while (taken < bytes.size() && reader.state() == HeadReader::State::reading) {
    std::size_t count = reader.feed(bytes.substr(taken, piece_bytes));
    CHECK(count > 0);
    taken += count;
  }
  if (reader.state() != HeadReader::State::done) {
    return std::to_string(static_cast<int>(reader.state()));
  }
  auto reading = read_proxy_request(reader.head());
  if (auto* fault = std::get_if<ProxyFault>(&reading)) {
    CHECK(fault->status >= 400 && !fault->message.empty());
    return fault->message;
  }
  auto& request = std::get<ProxyRequest>(reading);
  check_request(request);
  BodyMeter meter(request.body);
  std::size_t head_bytes = taken;
  while (taken < bytes.size() && meter.state() == BodyMeter::State::reading) {
    taken += meter.feed(bytes.substr(taken, piece_bytes));
  }
  return request.destination.text() + (request.is_tunnel ? "" : origin_head(request)) +
         std::to_string(head_bytes) + " " + std::to_string(taken) + " " +
         std::to_string(static_cast<int>(meter.state()));
}

}  // namespace
}  // namespace capstan

// A request to a proxy is read the same however its bytes are cut, and what is made of it for the
// next hop can be read in one way only.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace capstan;
  std::string_view text(reinterpret_cast<const char*>(bytes), size);
  std::string at_once = parsed(text, std::max<std::size_t>(size, 1));
  CHECK(parsed(text, 1) == at_once);
  CHECK(parsed(text, 7) == at_once);
  return 0;
}
