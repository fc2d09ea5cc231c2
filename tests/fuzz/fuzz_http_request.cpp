#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/request_parser.h"

namespace capstan {
namespace {

// What is read of one request, as one text.
std::string parsed(const ServerLimits& limits, std::string_view bytes, std::size_t piece_bytes) {
  RequestParser parser(limits);
  std::size_t taken = 0;
  while (taken < bytes.size() && parser.state() != RequestParser::State::done &&
         parser.state() != RequestParser::State::refused) {
    std::size_t count = parser.feed(bytes.substr(taken, piece_bytes));
    CHECK(count > 0 || parser.state() == RequestParser::State::body);
    taken += count;
  }
  CHECK(taken <= bytes.size());
  std::string text = std::to_string(static_cast<int>(parser.state()));
  if (parser.state() == RequestParser::State::refused) {
    CHECK(parser.refusal().status >= 400 && !parser.refusal().message.empty());
    return text + parser.refusal().message;
  }
  if (parser.state() != RequestParser::State::done) {
    return text;
  }
  Request request = parser.take();
  CHECK(request.body.size() <= limits.body_bytes_max);
  CHECK(request.headers.size() <= limits.header_count_max);
  CHECK(request.path.starts_with('/') || request.path == "*");
  text += std::to_string(taken) + " " + request.path + " " + request.body;
  for (const Header& header : request.headers) {
    CHECK(header.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
    text += "\n" + header.name + ": " + header.value;
  }
  return text;
}

}  // namespace
}  // namespace capstan

// A request is read the same however its bytes are cut, within all bounds.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace capstan;
  ServerLimits limits;
  limits.body_bytes_max = 100;
  limits.header_bytes_max = 500;
  limits.request_line_bytes_max = 200;
  limits.header_count_max = 10;
  std::string_view text(reinterpret_cast<const char*>(bytes), size);
  std::string at_once = parsed(limits, text, std::max<std::size_t>(size, 1));
  CHECK(parsed(limits, text, 1) == at_once);
  CHECK(parsed(limits, text, 7) == at_once);
  return 0;
}
