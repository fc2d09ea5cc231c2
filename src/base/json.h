#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "base/error.h"

namespace capstan {

namespace json = boost::json;

// Reads one JSON text. Throws invalid_argument, naming `what`, for anything that is not one JSON
// value: bad syntax or UTF-8, nesting deeper than 64, a key given twice in one object, numbers out
// of range, text behind the value; or that holds more values than `values_max`, which bounds the
// time that a text from outside can cost.
json::value parse_json(std::string_view text, std::string_view what,
                       std::size_t values_max = SIZE_MAX);

// The text of a member that may be missing or of another kind; then nothing. For messages that
// programs send, where there is nobody to tell what is wrong with them.
std::optional<std::string> text_at(const json::object& object, std::string_view key);
// The same of an integer, and of an object, which then is empty.
std::optional<std::int64_t> integer_at(const json::object& object, std::string_view key);
const json::object& object_at(const json::object& object, std::string_view key);

// Reads the fields of one JSON object, and remembers everything that is wrong with them, so that
// one answer can name all bad fields. Unknown fields are left alone.
//
//   Fields in(body, "");
//   std::string name = in.required_string("name");
//   std::optional<bool> async = in.boolean("async");
//   in.done();   // throws one invalid_argument with every problem
//
// A getter returns nothing (or an empty value) after noting a problem; what it returns is only
// meaningful once done() has returned. null is a wrong type like any other.
class Fields {
 public:
  // `path` stands in front of every field's name in messages ("session.timeout").
  explicit Fields(const json::object& object, std::string path = {});

  std::optional<std::string> string(std::string_view name);
  std::string required_string(std::string_view name);
  std::optional<bool> boolean(std::string_view name);
  std::optional<std::int64_t> integer(std::string_view name);
  std::optional<std::vector<std::string>> strings(std::string_view name);
  const json::object* object(std::string_view name);

  // The fields of a nested object, reporting into this one; empty fields when there is none.
  Fields nested(std::string_view name);

  bool has(std::string_view name) const { return object_->contains(name); }
  std::string path_of(std::string_view name) const;

  // Notes a problem with a field that a caller found ("name", "must not be empty").
  void refuse(std::string_view name, std::string_view problem);

  void done() const;

 private:
  Fields(const json::object& object, std::string path,
         std::shared_ptr<std::vector<std::string>> problems);
  const json::value* find(std::string_view name) const;

  const json::object* object_;
  std::string path_;
  std::shared_ptr<std::vector<std::string>> problems_;
};

}  // namespace capstan
