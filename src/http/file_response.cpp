#include "http/file_response.h"

#include <algorithm>

#include "base/text.h"
#include "http/byte_range.h"

namespace capstan {
namespace {

// Compares weakly, as RFC 9110 has it for If-None-Match: W/"a" is "a". Our tags have no comma.
bool names_etag(std::string_view list, std::string_view etag) {
  while (!list.empty()) {
    std::string_view item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(item.size() + 1, list.size()));
    item = trim(item);
    if (item.starts_with("W/")) {
      item.remove_prefix(2);
    }
    if (item == etag || item == "*") {
      return true;
    }
  }
  return false;
}

// A range matters to a GET alone, and to the file that the client means. Dates are never ours: no
// answer has a last-modified.
WantedBytes wanted_bytes(const OfferedFile& offered, const Request& request) {
  auto range = request.header("range");
  auto known = request.header("if-range");
  if (request.method != Method::get || !range || (known && trim(*known) != offered.etag)) {
    return WholeFile();
  }
  return read_range(*range, offered.size);
}

Response no_such_part(std::uint64_t size) {
  Response response = error_response(
      416, "the range is outside of the file, which has " + std::to_string(size) + " bytes");
  response.headers.push_back({"content-range", "bytes */" + std::to_string(size)});
  return response;
}

std::string content_range(const ByteRange& part, std::uint64_t size) {
  return "bytes " + std::to_string(part.offset) + "-" +
         std::to_string(part.offset + part.length - 1) + "/" + std::to_string(size);
}

}  // namespace

Response file_response(OfferedFile offered, const Request& request) {
  Response response;
  // Whoever keeps a copy asks each time whether it may still be shown: files can be deleted.
  response.headers = {
      {"etag", offered.etag}, {"cache-control", "private, no-cache"}, {"accept-ranges", "bytes"}};
  if (auto known = request.header("if-none-match"); known && names_etag(*known, offered.etag)) {
    response.status = 304;
    return response;
  }
  WantedBytes wanted = wanted_bytes(offered, request);
  if (std::holds_alternative<Unsatisfiable>(wanted)) {
    return no_such_part(offered.size);
  }
  response.headers.push_back({"content-type", std::move(offered.content_type)});
  response.headers.push_back({"x-content-type-options", "nosniff"});
  response.headers.push_back({"content-disposition", "inline; filename=\"" + offered.name + "\""});
  ByteRange part{.offset = 0, .length = offered.size};
  if (const auto* range = std::get_if<ByteRange>(&wanted)) {
    part = *range;
    response.status = 206;
    response.headers.push_back({"content-range", content_range(part, offered.size)});
  }
  response.file =
      FileBody{.file = std::move(offered.file), .offset = part.offset, .length = part.length};
  return response;
}

}  // namespace capstan
