// Reads any bytes as a DevTools message, and compares with Boost.JSON what is found.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <boost/json.hpp>

#include "base/check.h"
#include "cdp/devtools_message.h"

namespace {

namespace json = boost::json;

// Differences that are meant: we don't look at surrogates, which Boost.JSON wants in pairs, nor at
// the size of numbers, and count depth a little differently.
bool may_differ(std::string_view text, const boost::system::error_code& failure) {
  bool has_surrogate = text.find("\\ud") != text.npos || text.find("\\uD") != text.npos;
  return has_surrogate || failure == json::error::too_deep ||
         failure == json::error::exponent_overflow;
}

void compare(std::string_view slice, const json::object& object, std::string_view name) {
  const json::value* expected = object.if_contains(name);
  CHECK(slice.empty() == (expected == nullptr));
  if (expected == nullptr) {
    return;
  }
  json::parse_options options;
  options.max_depth = capstan::message_depth_max;
  // As texts, since a number that Boost.JSON reads as NaN is not equal to itself.
  CHECK(json::serialize(json::parse(slice, {}, options)) == json::serialize(*expected));
  if (expected->is_string()) {
    CHECK(capstan::string_of(slice) == std::string_view(expected->get_string()));
    CHECK(capstan::is_string(slice, std::string_view(expected->get_string())));
  } else {
    CHECK(!capstan::string_of(slice));
  }
  if (auto integer = capstan::integer_of(slice)) {
    auto number = expected->to_number<double>();
    CHECK(number == *integer || std::isnan(number));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(bytes), size);
  auto message = capstan::parse_message(text);
  json::parse_options options;
  options.max_depth = capstan::message_depth_max;
  boost::system::error_code failure;
  json::value value = json::parse(text, failure, {}, options);
  if (failure || !value.is_object()) {
    CHECK(!message || !message->is_ascii || may_differ(text, failure));
    return 0;
  }
  CHECK(message);
  const json::object& object = value.get_object();
  compare(message->id, object, "id");
  compare(message->method, object, "method");
  compare(message->session_id, object, "sessionId");
  compare(message->params, object, "params");
  compare(message->result, object, "result");
  compare(message->error, object, "error");
  return 0;
}
