#include "api/call.h"

#include <charconv>

#include "base/check.h"
#include "base/text.h"

namespace capstan {
namespace {

constexpr std::size_t shown_bytes_max = 100;
// What a body can sensibly hold, and what the loop can read in some milliseconds.
constexpr std::size_t body_values_max = 100'000;
constexpr std::int64_t limit_max = 100;
constexpr std::int64_t page_max = 1'000'000'000;

std::int64_t read_count(const Request& request, std::string_view name, std::int64_t missing,
                        std::int64_t max) {
  auto text = request.query_value(name);
  if (!text) {
    return missing;
  }
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size() || text->front() == '0' ||
      number < 1 || number > max) {
    throw Error(ErrorCode::invalid_argument,
                std::string(name) + " must be a whole number from 1 to " + std::to_string(max));
  }
  return number;
}

// application/json, with no charset or that of JSON.
bool is_json(std::string_view content_type) {
  std::size_t semicolon = content_type.find(';');
  if (!equal_ignoring_case(trim(content_type.substr(0, semicolon)), "application/json")) {
    return false;
  }
  if (semicolon == std::string_view::npos) {
    return true;
  }
  std::string_view parameter = trim(content_type.substr(semicolon + 1));
  return equal_ignoring_case(parameter, "charset=utf-8") ||
         equal_ignoring_case(parameter, "charset=\"utf-8\"");
}

void check_content_type(const Request& request) {
  auto content_type = request.header("content-type");
  bool is_right = content_type ? is_json(*content_type) : request.body.empty();
  if (request.header("content-encoding") || !is_right) {
    throw Error(ErrorCode::unsupported_media_type,
                "send the body as application/json in UTF-8, without content-encoding");
  }
}

}  // namespace

const std::string& Call::field(std::string_view name) const {
  for (const auto& [field_name, value] : fields) {
    if (field_name == name) {
      return value;
    }
  }
  CHECK(false);
}

std::string Call::short_field(std::string_view name) const {
  return std::string(clip_utf8(field(name), shown_bytes_max));
}

json::object Call::body() const {
  check_content_type(request);
  if (request.body.empty()) {
    return {};
  }
  json::value value = parse_json(request.body, "the body", body_values_max);
  if (!value.is_object()) {
    throw Error(ErrorCode::invalid_argument, "the body must be a JSON object");
  }
  return std::move(value.as_object());
}

Response json_response(int status, const json::value& value) {
  Response response;
  response.status = status;
  response.headers = {{"content-type", "application/json"}};
  response.body = json::serialize(value);
  return response;
}

Response data_response(json::value data) {
  return json_response(200, json::object{{"data", std::move(data)}});
}

std::string host_of(const Request& request) {
  return std::string(request.header("host").value_or("localhost"));
}

Paging read_paging(const Request& request) {
  return {.page = read_count(request, "page", 1, page_max),
          .limit = read_count(request, "limit", 10, limit_max)};
}

}  // namespace capstan
