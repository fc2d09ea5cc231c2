#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/json.h"
#include "io/clock.h"

namespace capstan {

// What happened while a film was made, in the order in which it happened.
//
//   {"marks": [{"time": 1.234, "type": "navigation", ...}, ...], "left_out": 0}
//
// `time` is seconds of the film. Bounded: long texts are cut, and what comes after 5,000 marks is
// only counted.
class Timeline {
 public:
  // `what` has texts alone.
  void add(Duration film_time, std::string_view type, json::object what);
  bool is_empty() const { return marks_.empty(); }
  // Whether a mark was added since to_text().
  bool has_news() const { return has_news_; }
  std::string to_text();

 private:
  json::array marks_;
  std::size_t left_out_ = 0;
  bool has_news_ = false;
};

}  // namespace capstan
