#include "app/api_client.h"

#include "app/event_reader.h"
#include "io/outcome.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

// Storing a task bundles it, which takes a moment.
constexpr auto call_limit = 60s;

ErrorCode to_code(int status) {
  switch (status) {
    case 400:
    case 413:
    case 415:
    case 422:
      return ErrorCode::unprocessable;
    case 401:
    case 403:
      return ErrorCode::unauthenticated;
    case 404:
      return ErrorCode::not_found;
    case 409:
      return ErrorCode::conflict;
    case 429:
    case 502:
    case 503:
    case 504:
      return ErrorCode::unavailable;
    case 501:
      return ErrorCode::not_implemented;
    default:
      return ErrorCode::internal;
  }
}

// The body as an object; an empty one for what isn't any, as a proxy in between may answer.
json::object read_object(const std::string& text) {
  auto value = outcome_of_call([&] { return parse_json(text, "the answer"); });
  if (!value.ok() || !value.value().is_object()) {
    return {};
  }
  return std::move(value).take().as_object();
}

Error to_error(const HttpAnswer& answer, const std::string& url) {
  json::object body = read_object(answer.body);
  const json::value* error = body.if_contains("error");
  std::string message = error != nullptr && error->is_object()
                            ? text_in(error->as_object(), "message")
                            : std::string();
  if (message.empty()) {
    message = url + " answered with status " + std::to_string(answer.status);
  }
  std::string cause = answer.status >= 500 && !answer.request_id.empty()
                          ? "the server's log tells more under request " + answer.request_id
                          : std::string();
  return Error(to_code(answer.status), message, cause);
}

}  // namespace

ApiClient::ApiClient(std::string url, Header credential)
    : url_(std::move(url)), credential_(std::move(credential)) {}

json::value ApiClient::call(Method method, const std::string& path, const json::object* body) {
  HttpCall call{.method = method,
                .url = url_ + path,
                .headers = {credential_},
                .body = {},
                .limit = call_limit};
  if (body != nullptr) {
    call.headers.push_back({"content-type", "application/json"});
    call.body = json::serialize(*body);
  }
  HttpAnswer answer = http_.send(call);
  if (answer.status != 200) {
    throw to_error(answer, call.url);
  }
  json::object object = read_object(answer.body);
  if (!object.contains("data")) {
    throw Error(ErrorCode::internal, call.url + " doesn't answer as Capstan does");
  }
  return std::move(object["data"]);
}

void ApiClient::follow(const std::string& path, std::optional<Duration> limit,
                       const OnEvent& on_event) {
  HttpCall call{.url = url_ + path,
                .headers = {credential_, {"accept", "text/event-stream"}},
                .body = {},
                .limit = limit};
  EventReader events(
      [&](const std::string& name, const std::string& data) { on_event(name, read_object(data)); });
  HttpAnswer answer = http_.send(call, [&](std::string_view piece) { events.read(piece); });
  if (answer.status != 200) {
    throw to_error(answer, call.url);
  }
}

std::string text_in(const json::object& object, std::string_view field) {
  const json::value* value = object.if_contains(field);
  if (value == nullptr || value->is_null()) {
    return {};
  }
  return value->is_string() ? std::string(value->as_string()) : json::serialize(*value);
}

}  // namespace capstan
