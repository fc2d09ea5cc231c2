#include "session/timeline.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

using namespace std::chrono_literals;

json::object read(Timeline& timeline) {
  return parse_json(timeline.to_text(), "a timeline").as_object();
}

TEST(TimelineTest, marks_have_their_time_in_the_film) {
  Timeline timeline;
  EXPECT_FALSE(timeline.has_news());
  timeline.add(0ms, "tab_opened", {{"tab", "A"}});
  timeline.add(1234567us, "navigation", {{"tab", "A"}, {"url", "https://a.test/"}});
  EXPECT_TRUE(timeline.has_news());
  json::object expected{
      {"marks",
       json::array{
           json::object{{"time", 0.0}, {"type", "tab_opened"}, {"tab", "A"}},
           json::object{
               {"time", 1.234}, {"type", "navigation"}, {"tab", "A"}, {"url", "https://a.test/"}}}},
      {"left_out", 0}};
  EXPECT_EQ(read(timeline), expected);
  EXPECT_FALSE(timeline.has_news());
}

TEST(TimelineTest, it_is_bounded_in_length_and_number) {
  Timeline timeline;
  timeline.add(0ms, "log", {{"text", std::string(499, 'x') + "\u00e4 and more"}});
  for (int i = 0; i < 5010; ++i) {
    timeline.add(1ms, "log", {{"text", "again"}});
  }
  json::object whole = read(timeline);
  const json::array& marks = whole.at("marks").as_array();
  EXPECT_EQ(marks.size(), 5000U);
  EXPECT_EQ(marks.front().at("text").as_string(), std::string(499, 'x'));
  EXPECT_EQ(whole.at("left_out"), 11);
}

}  // namespace
}  // namespace capstan
