#pragma once

#include <initializer_list>
#include <string_view>
#include <utility>

#include <boost/json/value.hpp>
#include <boost/json/value_from.hpp>

namespace capstan {

// A name and anything that JSON can hold: {"session", id.text()}, {"after_ms", 12}. What is null or
// an empty optional is left out of the line.
struct LogField {
  template <class T>
  LogField(std::string_view field_name, T&& field_value)
      : name(field_name), value(boost::json::value_from(std::forward<T>(field_value))) {}

  std::string_view name;
  boost::json::value value;
};

// One JSON object per line on standard error: time, level, event, fields. Event names are
// `noun_verb`, fixed, so that they can be searched for. Never pass a secret, nor a query string
// that may hold one. A line that standard error can't take is dropped: a stuck reader of the log
// must not stop the server.
void log_info(std::string_view event, std::initializer_list<LogField> fields = {});
void log_warning(std::string_view event, std::initializer_list<LogField> fields = {});
void log_error(std::string_view event, std::initializer_list<LogField> fields = {});

}  // namespace capstan
