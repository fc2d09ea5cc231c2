#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_budget.h"
#include "io/async.h"
#include "io/file.h"

namespace capstan {

class WebSocket;

// A request and its answer as values: what a connection reads, hands to the handler, and writes.

enum class Method { get, head, post, put, patch, del, options };

// As it stands in a request: "GET", "DELETE". Method names are case-sensitive.
std::string_view to_text(Method method);
std::optional<Method> parse_method(std::string_view text);

struct Header {
  std::string name;
  std::string value;
};

struct QueryField {
  std::string name;
  std::string value;
};

// Cuts the text behind the `?` into its fields and decodes them; `+` stays `+`. Nothing for a
// broken escape, a NUL or text that isn't UTF-8.
std::optional<std::vector<QueryField>> parse_query(std::string_view query);

struct Request {
  std::string id;  // goes through the log and back to the client as x-request-id
  Method method = Method::get;
  std::string path;               // as sent: still percent-encoded, without the query
  std::vector<QueryField> query;  // decoded
  std::vector<Header> headers;
  std::string body;
  bool wants_upgrade = false;  // a sound WebSocket handshake; only then may the answer upgrade
  std::string remote;          // "127.0.0.1:50123", for the log
  // What the body takes up of what all bodies may have together. It must not outlive the server.
  std::shared_ptr<ByteBudget::Share> body_share;

  // For a handler that has read the body and still has long to wait.
  void drop_body();

  // The first one of that name. Names of headers don't know case, those of the query do.
  std::optional<std::string_view> header(std::string_view name) const;
  std::optional<std::string_view> query_value(std::string_view name) const;
};

// Where a streamed body goes, piece by piece. Lives while Response::stream runs.
class BodyWriter {
 public:
  using Sink = std::function<Async<>(std::string)>;
  explicit BodyWriter(Sink sink) : sink_(std::move(sink)) {}

  // Returns when the kernel has taken the piece, and so holds a fast producer back. Throws
  // unavailable once the client has gone or doesn't read any more. That is the only way to learn
  // of it: a stream that may have nothing to say for long writes a comment now and then.
  Async<> write(std::string chunk) { return sink_(std::move(chunk)); }

 private:
  Sink sink_;
};

// A piece of an open file, which is sent without being held in memory. The file may be unlinked
// meanwhile; one that turns out to be shorter is sent as far as it goes, and then the connection is
// cut, so that the client notices.
struct FileBody {
  std::shared_ptr<const Fd> file;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

// The connection itself sends content-length, transfer-encoding, date, connection and
// x-request-id; those among `headers` are left out.
struct Response {
  int status = 200;
  std::vector<Header> headers;
  std::string body;
  // Set for a body that lies in a file; `body` is empty then. http/file_response.h makes such ones.
  std::optional<FileBody> file;
  // Set for a WebSocket: the connection answers 101 and hands the socket over. The coroutine's
  // end is the connection's end. A request that doesn't want an upgrade is answered 426 instead.
  std::function<Async<>(std::unique_ptr<WebSocket>)> upgrade;
  // Set for a body that is made while it is sent (server-sent events). Called once, unless the
  // request was a HEAD. If it throws, the client sees a body that was cut off.
  std::function<Async<>(BodyWriter&)> stream;
};

// {"error":{"code":<status>,"message":"<message>"}} as application/json.
Response error_response(int status, std::string_view message);

// Answers one request. If it throws, the client gets a 500 that tells nothing, and the log the
// reason. It runs to its end even when the client has hung up meanwhile.
using Handler = std::function<Async<Response>(Request)>;

}  // namespace capstan
