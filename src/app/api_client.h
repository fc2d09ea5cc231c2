#pragma once

#include <functional>
#include <string>

#include "app/http_client.h"
#include "base/json.h"

namespace capstan {

// A Capstan server's API as our own command line calls it. Blocks; each call but follow() for a
// minute at most.
//
// Failures that the server answers are thrown with its message: unauthenticated, not_found,
// conflict, unprocessable for what it refused to take, unavailable when it has no room; and what
// HttpClient throws.
class ApiClient {
 public:
  // `credential` is the header that opens it. The URL has no slash at its end.
  ApiClient(std::string url, Header credential);

  // What the answer holds in `data`.
  json::value get(const std::string& path) { return call(Method::get, path, nullptr); }
  json::value post(const std::string& path, const json::object& body) {
    return call(Method::post, path, &body);
  }
  json::value del(const std::string& path) { return call(Method::del, path, nullptr); }

  using OnEvent = std::function<void(const std::string& name, const json::object& data)>;
  // Reads server-sent events until the server ends the stream. Throws deadline_exceeded after the
  // limit.
  void follow(const std::string& path, std::optional<Duration> limit, const OnEvent& on_event);

 private:
  json::value call(Method method, const std::string& path, const json::object* body);

  const std::string url_;
  const Header credential_;
  HttpClient http_;
};

// The field's text; empty if there is none or it is null, a number as it is written.
std::string text_in(const json::object& object, std::string_view field);

}  // namespace capstan
