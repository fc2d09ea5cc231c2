#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "http/message.h"

namespace capstan {

// Which route a method and a path mean. Routes are numbers that the caller gives out.
//
// A pattern is a path whose segments are literals or {fields}: "/v1/task/{taskId}/versions". Of
// several patterns that fit, the one with the earlier literal wins, whatever the order of adding.
// The method is part of the pattern: a path is answered WrongMethod only if no pattern for this
// method fits. HEAD is answered by the route for GET.
//
// One slash at the end of a path changes nothing. Paths that could be read in two ways fit
// nothing: empty segments, "." and "..", broken escapes, and segments that decode to an empty
// text, to bad UTF-8 or to something with a slash or a control character in it.
class Router {
 public:
  // Two routes for the same method and paths are a mistake in the program, and end it.
  void add(Method method, std::string_view pattern, std::size_t route);

  struct Match {
    std::size_t route;
    std::vector<std::pair<std::string, std::string>> fields;  // name and decoded text, never empty
  };
  struct Nothing {};
  struct WrongMethod {
    std::vector<Method> allowed;  // each once, in the order of Method
  };
  std::variant<Match, Nothing, WrongMethod> match(Method method, std::string_view path) const;

 private:
  struct Segment {
    bool is_field;
    std::string text;  // the literal, or the field's name
  };
  struct Pattern {
    std::vector<Segment> segments;
    Method method;
    std::size_t route;
  };
  static bool comes_before(const Pattern& a, const Pattern& b);
  static bool fits(const Pattern& pattern, const std::vector<std::string>& path);
  static Match to_match(const Pattern& pattern, std::vector<std::string> path);

  std::vector<Pattern> patterns_;  // the first one that fits is the right one
  std::size_t segments_max_ = 0;   // of any pattern
};

}  // namespace capstan
