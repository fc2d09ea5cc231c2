#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "http/message.h"

namespace capstan {

struct HttpCall {
  Method method = Method::get;
  std::string url;
  std::vector<Header> headers;
  std::string body;
  std::optional<Duration> limit;  // for all of it; none for as long as the server shows life
};

struct HttpAnswer {
  int status = 0;
  std::string request_id;
  std::string body;
};

// Takes the pieces of a body as they come.
using BodySink = std::function<void(std::string_view)>;

// The way from our own command line to a server, over HTTP or HTTPS. It blocks, follows no
// redirect, which could carry a key elsewhere, and uses the proxy of the environment but for this
// machine itself.
class HttpClient {
 public:
  HttpClient();
  ~HttpClient();

  // Throws invalid_argument for a URL that is none, unavailable when the server can't be reached or
  // goes away, deadline_exceeded after the limit, resource_exhausted for an answer beyond 64 MiB.
  // With a sink, the body of a 200 goes there, however long it is.
  HttpAnswer send(const HttpCall& call, const BodySink& sink = {});

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

// One segment of a path, or one value of a query.
std::string encode_percent(std::string_view text);

}  // namespace capstan
