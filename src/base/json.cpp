#include "base/json.h"

#include <cmath>

#include <boost/json/basic_parser_impl.hpp>

namespace capstan {
namespace {

constexpr std::size_t depth_max = 64;
constexpr std::size_t problems_max = 20;

// Builds the value as Boost.JSON's own handler does, and notes what that lets pass: it keeps the
// last of two equal keys, and takes 1e999 for infinity.
class StrictHandler {
 public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
  using Failure = json::error_code;
  using Text = json::string_view;

  explicit StrictHandler(std::size_t values_max) : values_left_(values_max) { stack_.reset(); }

  json::value release() { return stack_.release(); }
  std::size_t keys() const { return keys_; }
  bool all_finite() const { return all_finite_; }
  bool is_full() const { return is_full_; }

  bool on_document_begin(Failure&) { return true; }
  bool on_document_end(Failure&) { return true; }
  bool on_object_begin(Failure& failure) {
    return add(failure, [] {});
  }
  bool on_object_end(std::size_t count, Failure&) {
    stack_.push_object(count);
    return true;
  }
  bool on_array_begin(Failure& failure) {
    return add(failure, [] {});
  }
  bool on_array_end(std::size_t count, Failure&) {
    stack_.push_array(count);
    return true;
  }
  bool on_key_part(Text text, std::size_t, Failure&) {
    stack_.push_chars(text);
    return true;
  }
  bool on_key(Text text, std::size_t, Failure&) {
    ++keys_;
    stack_.push_key(text);
    return true;
  }
  bool on_string_part(Text text, std::size_t, Failure&) {
    stack_.push_chars(text);
    return true;
  }
  bool on_string(Text text, std::size_t, Failure& failure) {
    return add(failure, [&] { stack_.push_string(text); });
  }
  bool on_number_part(Text, Failure&) { return true; }
  bool on_int64(std::int64_t number, Text, Failure& failure) {
    return add(failure, [&] { stack_.push_int64(number); });
  }
  bool on_uint64(std::uint64_t number, Text, Failure& failure) {
    return add(failure, [&] { stack_.push_uint64(number); });
  }
  bool on_double(double number, Text, Failure& failure) {
    all_finite_ = all_finite_ && std::isfinite(number);
    return add(failure, [&] { stack_.push_double(number); });
  }
  bool on_bool(bool flag, Failure& failure) {
    return add(failure, [&] { stack_.push_bool(flag); });
  }
  bool on_null(Failure& failure) {
    return add(failure, [&] { stack_.push_null(); });
  }
  bool on_comment_part(Text, Failure&) { return true; }
  bool on_comment(Text, Failure&) { return true; }

 private:
  // Every value passes here; those that hold others do so when they begin.
  template <class Push>
  bool add(Failure& failure, Push push) {
    if (values_left_ == 0) {
      is_full_ = true;
      failure = json::error::array_too_large;
      return false;
    }
    --values_left_;
    push();
    return true;
  }

  json::value_stack stack_;
  std::size_t values_left_;
  std::size_t keys_ = 0;
  bool all_finite_ = true;
  bool is_full_ = false;
};

json::parse_options strict_options() {
  json::parse_options options;
  options.max_depth = depth_max;
  return options;
}

std::size_t count_keys(const json::value& value) {
  std::size_t keys = 0;
  if (const json::object* object = value.if_object()) {
    keys += object->size();
    for (const auto& member : *object) {
      keys += count_keys(member.value());
    }
  } else if (const json::array* array = value.if_array()) {
    for (const json::value& item : *array) {
      keys += count_keys(item);
    }
  }
  return keys;
}

std::string_view kind_name(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a boolean";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
      return "a number";
    case json::kind::string:
      return "a string";
    case json::kind::array:
      return "an array";
    case json::kind::object:
      return "an object";
  }
  return "something else";
}

const json::object& empty_object() {
  static const json::object empty;
  return empty;
}

}  // namespace

json::value parse_json(std::string_view text, std::string_view what, std::size_t values_max) {
  json::basic_parser<StrictHandler> parser(strict_options(), values_max);
  json::error_code error;
  std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (!error && used < text.size()) {
    error = json::error::extra_data;
  }
  StrictHandler& handler = parser.handler();
  if (handler.is_full()) {
    throw Error(ErrorCode::invalid_argument,
                std::string(what) + " holds more than " + std::to_string(values_max) + " values");
  }
  if (error) {
    throw Error(ErrorCode::invalid_argument,
                std::string(what) + " is not valid JSON: " + error.message());
  }
  if (!handler.all_finite()) {
    throw Error(ErrorCode::invalid_argument,
                std::string(what) + " holds a number that is out of range");
  }
  json::value value = handler.release();
  if (handler.keys() != count_keys(value)) {
    throw Error(ErrorCode::invalid_argument,
                std::string(what) + " gives a key twice in one object; give each key once");
  }
  return value;
}

std::optional<std::string> text_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) {
    return std::nullopt;
  }
  return std::string(value->get_string());
}

std::optional<std::int64_t> integer_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  boost::system::error_code failure;
  std::int64_t number = value != nullptr ? value->to_number<std::int64_t>(failure) : 0;
  return value != nullptr && !failure ? std::optional(number) : std::nullopt;
}

const json::object& object_at(const json::object& object, std::string_view key) {
  static const json::object empty;
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_object() ? value->get_object() : empty;
}

Fields::Fields(const json::object& object, std::string path)
    : Fields(object, std::move(path), std::make_shared<std::vector<std::string>>()) {}

Fields::Fields(const json::object& object, std::string path,
               std::shared_ptr<std::vector<std::string>> problems)
    : object_(&object), path_(std::move(path)), problems_(std::move(problems)) {}

std::string Fields::path_of(std::string_view name) const {
  return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

void Fields::refuse(std::string_view name, std::string_view problem) {
  if (problems_->size() < problems_max) {
    problems_->push_back(path_of(name) + " " + std::string(problem));
  }
}

const json::value* Fields::find(std::string_view name) const { return object_->if_contains(name); }

std::optional<std::string> Fields::string(std::string_view name) {
  const json::value* value = find(name);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (const json::string* text = value->if_string()) {
    return std::string(*text);
  }
  refuse(name, "must be a string, not " + std::string(kind_name(*value)));
  return std::nullopt;
}

std::string Fields::required_string(std::string_view name) {
  if (!has(name)) {
    refuse(name, "is required");
    return {};
  }
  return string(name).value_or("");
}

std::optional<bool> Fields::boolean(std::string_view name) {
  const json::value* value = find(name);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (const bool* flag = value->if_bool()) {
    return *flag;
  }
  refuse(name, "must be true or false, not " + std::string(kind_name(*value)));
  return std::nullopt;
}

std::optional<std::int64_t> Fields::integer(std::string_view name) {
  const json::value* value = find(name);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (const std::int64_t* number = value->if_int64()) {
    return *number;
  }
  bool is_number = value->is_double() || value->is_uint64();
  refuse(name, "must be a whole number" + (is_number ? std::string(" within 64 bits")
                                                     : ", not " + std::string(kind_name(*value))));
  return std::nullopt;
}

std::optional<std::vector<std::string>> Fields::strings(std::string_view name) {
  const json::value* value = find(name);
  if (value == nullptr) {
    return std::nullopt;
  }
  const json::array* array = value->if_array();
  if (array == nullptr) {
    refuse(name, "must be an array of strings, not " + std::string(kind_name(*value)));
    return std::nullopt;
  }
  std::vector<std::string> texts;
  for (const json::value& item : *array) {
    if (!item.is_string()) {
      refuse(name, "must hold strings only, not " + std::string(kind_name(item)));
      return std::nullopt;
    }
    texts.emplace_back(item.get_string());
  }
  return texts;
}

const json::object* Fields::object(std::string_view name) {
  const json::value* value = find(name);
  if (value == nullptr) {
    return nullptr;
  }
  if (const json::object* object = value->if_object()) {
    return object;
  }
  refuse(name, "must be an object, not " + std::string(kind_name(*value)));
  return nullptr;
}

Fields Fields::nested(std::string_view name) {
  const json::object* inner = object(name);
  return Fields(inner != nullptr ? *inner : empty_object(), path_of(name), problems_);
}

void Fields::done() const {
  if (problems_->empty()) {
    return;
  }
  std::string message;
  for (const std::string& problem : *problems_) {
    message += (message.empty() ? "" : "; ") + problem;
  }
  throw Error(ErrorCode::invalid_argument, message);
}

}  // namespace capstan
