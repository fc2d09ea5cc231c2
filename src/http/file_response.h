#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "http/message.h"

namespace capstan {

// A file as it is offered to clients.
struct OfferedFile {
  std::shared_ptr<const Fd> file;
  std::uint64_t size = 0;
  // Names these bytes and no others, for as long as they lie at this address; with its quotes.
  std::string etag;
  std::string content_type;
  std::string name;  // under which a client may save it: letters, digits, dots and dashes
};

// The answer to a GET or HEAD: all of the file, the part that Range asks for (206), 416 for a part
// that it doesn't have, 304 where If-None-Match names it. With If-Range a part is given only of the
// file that the client knows, so that it never puts pieces of two together.
Response file_response(OfferedFile offered, const Request& request);

}  // namespace capstan
