#include "cdp/answer.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

std::optional<std::string> read_title(const std::string& escaped) {
  auto message = read_browsers_message(R"({"method":"x","params":{"title":")" + escaped + R"("}})");
  return message ? text_at(object_at(*message, "params"), "title") : std::nullopt;
}

TEST(AnswerTest, half_a_surrogate_pair_is_replaced_and_nothing_else) {
  EXPECT_EQ(read_title(R"(\ud83d\ude00)"), "\U0001F600");
  EXPECT_EQ(read_title(R"(a\ud83d)"), "a\ufffd");
  EXPECT_EQ(read_title(R"(\ude00z)"), "\ufffdz");
  EXPECT_EQ(read_title(R"(\ud83d\ud83d\ude00)"), "\ufffd\U0001F600");
  EXPECT_EQ(read_title(R"(\\ud83d \ud83d)"), "\\ud83d \ufffd");
  EXPECT_EQ(read_title(R"(\ud83d\n\u00e4)"), "\ufffd\n\u00e4");
}

TEST(AnswerTest, what_is_no_message_is_nothing) {
  for (const char* text : {"", "[1]", "7", R"({"a":)", R"({"a":"\ud8"})", R"({"a":"\)"}) {
    EXPECT_FALSE(read_browsers_message(text)) << text;
  }
}

}  // namespace
}  // namespace capstan
