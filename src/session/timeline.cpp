#include "session/timeline.h"

#include "base/text.h"

namespace capstan {
namespace {

constexpr std::size_t marks_max = 5000;
constexpr std::size_t text_bytes_max = 500;

}  // namespace

void Timeline::add(Duration film_time, std::string_view type, json::object what) {
  if (marks_.size() >= marks_max) {
    ++left_out_;
    return;
  }
  has_news_ = true;
  auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(film_time).count();
  json::object mark{{"time", static_cast<double>(ms) / 1000}, {"type", type}};
  for (const auto& [name, value] : what) {
    std::string text(value.as_string());
    mark[name] = clip_utf8(to_valid_utf8(text), text_bytes_max);
  }
  marks_.push_back(std::move(mark));
}

std::string Timeline::to_text() {
  has_news_ = false;
  return json::serialize(json::object{{"marks", marks_}, {"left_out", left_out_}});
}

}  // namespace capstan
