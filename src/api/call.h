#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "access/caller.h"
#include "base/json.h"
#include "http/message.h"

namespace capstan {

// A request on its way to its route: who calls, and what the path's {fields} stand for.
struct Call {
  Request request;
  Caller caller;  // of no meaning on routes that anybody may call
  std::vector<std::pair<std::string, std::string>> fields;

  // The route has this field, so it is there.
  const std::string& field(std::string_view name) const;
  // An id from the path. What is no UUID can't be anybody's id, and is answered like an unknown
  // one: not_found, naming `what` ("task").
  template <class AnyId>
  AnyId id(std::string_view name, std::string_view what) const {
    if (auto id = AnyId::parse(field(name))) {
      return std::move(*id);
    }
    throw Error(ErrorCode::not_found, "no " + std::string(what) + " " + short_field(name));
  }
  // The body as a JSON object; an empty one counts as {}. Throws unsupported_media_type for a body
  // that is not sent as JSON: a page on another site could send such a one without being asked.
  json::object body() const;

 private:
  std::string short_field(std::string_view name) const;
};

using RouteHandler = std::function<Async<Response>(Call)>;

// {"data": ...} with status 200.
Response data_response(json::value data);
Response json_response(int status, const json::value& value);

// The Host that the request came to, by which its sender can reach this server again.
std::string host_of(const Request& request);

// Two query fields that AnchorBrowser's lists take as texts: page from 1, limit from 1 to 100.
struct Paging {
  std::int64_t page = 1;
  std::int64_t limit = 10;
};
Paging read_paging(const Request& request);

}  // namespace capstan
