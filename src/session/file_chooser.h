#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "io/event.h"

namespace capstan {

// A part of a file that a viewer sends to a page.
struct FilePiece {
  bool is_first = false;  // of a choice: what was sent for another one before is forgotten
  std::string file;       // its id; empty for the beginning of a new one
  std::string name;       // as the page shall see it
  std::string bytes;
};

// A field of a page that waits for files. What a viewer sends goes straight into the page, which
// then holds it as if it had been chosen: nothing is written to a disk, and the page's memory is
// what bounds it. Owned by whoever watches the page.
class FileChooser {
 public:
  // Sends a command to the page and returns its result. Throws unavailable if the page refuses,
  // deadline_exceeded if it doesn't answer, and resource_exhausted if the browser is far behind.
  using Ask = std::function<Async<json::object>(std::string method, json::object params)>;

  // `frame` and `node` are what DevTools calls the field.
  FileChooser(std::string id, bool takes_several, std::string frame, std::int64_t node, Ask ask);

  const std::string& id() const { return id_; }
  bool takes_several() const { return takes_several_; }

  // Adds to a file, and returns its id. Throws invalid_argument for a bad name, not_found for an
  // unknown file, resource_exhausted for too much, and what asking the page throws.
  Async<std::string> take(FilePiece piece);
  // Gives the field these files, in this order; none is what somebody does who cancels. Throws
  // not_found for a file that was not sent, invalid_argument for too many.
  Async<> choose(std::vector<std::string> files);

 private:
  Async<> call(std::string function, json::array arguments);

  const std::string id_;
  const bool takes_several_;
  const std::string frame_;
  const std::int64_t node_;
  const Ask ask_;
  std::string field_;  // in a world of our own, once somebody has asked for it
  std::map<std::string, std::string> names_;  // of the choice's files, by id
  std::uint64_t bytes_ = 0;                   // of all of them
  std::size_t files_begun_ = 0;
};

}  // namespace capstan
