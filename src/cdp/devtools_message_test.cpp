#include "cdp/devtools_message.h"

#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace capstan {
namespace {

std::string nested(std::size_t depth, std::string_view innermost = "") {
  return std::string(depth, '[') + std::string(innermost) + std::string(depth, ']');
}

TEST(DevToolsMessage, finds_the_members_of_a_command) {
  auto message = parse_message(R"({"id":7,"method":"Page.navigate","params":{"url":"x"},)"
                               R"("sessionId":"AB"})");
  ASSERT_TRUE(message);
  EXPECT_EQ(message->id, "7");
  EXPECT_EQ(message->method, "\"Page.navigate\"");
  EXPECT_EQ(message->params, R"({"url":"x"})");
  EXPECT_EQ(message->session_id, "\"AB\"");
  EXPECT_TRUE(message->result.empty());
  EXPECT_TRUE(message->error.empty());
  EXPECT_FALSE(message->repeats_member);
  EXPECT_FALSE(message->has_unknown_member);
  EXPECT_TRUE(message->is_ascii);
}

TEST(DevToolsMessage, takes_any_order_and_any_space) {
  auto message = parse_message(" \t\r\n{ \"result\" : { \"id\" : 5 } , \"id\"\n:\n-12\t} \n");
  ASSERT_TRUE(message);
  EXPECT_EQ(message->id, "-12");
  EXPECT_EQ(message->result, R"({ "id" : 5 })");
}

TEST(DevToolsMessage, looks_at_the_top_level_alone) {
  auto message = parse_message(
      R"({"params":{"id":1,"sessionId":"no","a":["\"id\":2",{"method":"no"}]},"id":3})");
  ASSERT_TRUE(message);
  EXPECT_EQ(message->id, "3");
  EXPECT_TRUE(message->session_id.empty());
  EXPECT_TRUE(message->method.empty());
}

TEST(DevToolsMessage, reads_escaped_keys_as_what_they_mean) {
  auto message = parse_message(R"({"\u0069d":1,"session\u0049d":"A","m\u0065thod":"B"})");
  ASSERT_TRUE(message);
  EXPECT_EQ(message->id, "1");
  EXPECT_EQ(message->session_id, "\"A\"");
  EXPECT_EQ(message->method, "\"B\"");
  EXPECT_FALSE(message->has_unknown_member);
}

TEST(DevToolsMessage, tells_of_repeated_and_unknown_members) {
  auto repeated = parse_message(R"({"id":1,"\u0069d":2})");
  ASSERT_TRUE(repeated);
  EXPECT_TRUE(repeated->repeats_member);
  EXPECT_EQ(repeated->id, "2");
  auto unknown = parse_message(R"({"id":1,"ID":2,"id ":3,"":4,"id\u0000":5,"\ud800":6})");
  ASSERT_TRUE(unknown);
  EXPECT_FALSE(unknown->repeats_member);
  EXPECT_TRUE(unknown->has_unknown_member);
  EXPECT_EQ(unknown->id, "1");
}

TEST(DevToolsMessage, tells_whether_all_is_ascii) {
  EXPECT_FALSE(parse_message("{\"params\":{\"text\":\"0123456789\xc3\xa4\"}}")->is_ascii);
  EXPECT_TRUE(parse_message(R"({"params":{"text":"0123456789\u00e4"}})")->is_ascii);
}

TEST(DevToolsMessage, takes_every_kind_of_value) {
  for (std::string value :
       {"0", "-0", "10", "-1.5e+10", "1E-2", "0.0", "true", "false", "null", "\"\"", "{}", "[]",
        "[ ]", "{ }", R"([1,"a",{"b":[{}]},null])", R"("\"\\\/\b\f\n\r\t\uaBcD")", "\"\x7f\"",
        "\"long enough for eight bytes at once, and \\\"more\\\"\""}) {
    std::string text = "{\"params\":" + value + "}";
    auto message = parse_message(text);
    ASSERT_TRUE(message) << text;
    EXPECT_EQ(message->params, value);
  }
}

TEST(DevToolsMessage, refuses_what_is_not_one_object) {
  using namespace std::string_view_literals;
  for (std::string_view text : {""sv,
                                " "sv,
                                "garbage"sv,
                                "[]"sv,
                                "5"sv,
                                "\"id\""sv,
                                "null"sv,
                                "{"sv,
                                "}"sv,
                                "{]"sv,
                                "{\"id\"}"sv,
                                "{\"id\":}"sv,
                                "{\"id\":1"sv,
                                "{\"id\":1,}"sv,
                                "{,\"id\":1}"sv,
                                "{\"id\":1 \"a\":2}"sv,
                                "{\"id\":1}}"sv,
                                "{\"id\":1}{}"sv,
                                "{\"id\":1}x"sv,
                                "{\"id\":1}\0"sv,
                                "{id:1}"sv,
                                "{'id':1}"sv,
                                "{\"id\":01}"sv,
                                "{\"id\":+1}"sv,
                                "{\"id\":1.}"sv,
                                "{\"id\":.5}"sv,
                                "{\"id\":1e}"sv,
                                "{\"id\":-}"sv,
                                "{\"id\":tru}"sv,
                                "{\"id\":nul"sv,
                                "{\"id\":NaN}"sv,
                                "{\"a\":[1,]}"sv,
                                "{\"a\":[}]}"sv,
                                "{\"a\":{\"b\"}}"sv,
                                "{\"a\":{1:2}}"sv,
                                "{\"a\":[1 2]}"sv,
                                "{\"a\":\"\\x\"}"sv,
                                "{\"a\":\"\\u12g4\"}"sv,
                                "{\"a\":\"\\u12\"}"sv,
                                "{\"a\":\"\n\"}"sv,
                                "{\"a\":\"\0\"}"sv,
                                "{\"a\":\"b}"sv,
                                "{\"a\":\"\\"sv,
                                "{\"a\":\"\\u"sv,
                                "{\"a\":/**/1}"sv,
                                "\xef\xbb\xbf{}"sv,
                                "{\"a\":1e5.5}"sv,
                                "{\"a\":--1}"sv}) {
    EXPECT_FALSE(parse_message(text)) << text;
  }
}

TEST(DevToolsMessage, goes_as_deep_as_chromium_and_no_deeper) {
  // The members lie one deep, so this many brackets lie 1 to 300 deep.
  EXPECT_TRUE(parse_message("{\"params\":" + nested(message_depth_max) + "}"));
  EXPECT_FALSE(parse_message("{\"params\":" + nested(message_depth_max + 1) + "}"));
  EXPECT_TRUE(parse_message("{\"params\":" + nested(message_depth_max - 1, "1") + "}"));
  EXPECT_FALSE(parse_message("{\"params\":" + nested(message_depth_max, "1") + "}"));
  std::string objects;
  for (int i = 0; i < 200; ++i) {
    objects += R"({"a":[)";
  }
  EXPECT_FALSE(parse_message(R"({"params":)" + objects));
  EXPECT_FALSE(parse_message(std::string(10'000'000, '{')));
  EXPECT_FALSE(parse_message("{\"params\":" + std::string(10'000'000, '[')));
}

TEST(DevToolsMessage, finds_a_special_byte_wherever_it_stands_in_a_string) {
  for (std::size_t length = 0; length < 40; ++length) {
    for (std::size_t place = 0; place < length; ++place) {
      std::string text(length, 'a');
      text[place] = '\x1f';
      EXPECT_FALSE(parse_message("{\"params\":\"" + text + "\"}"));
      text[place] = '\xff';
      EXPECT_FALSE(parse_message("{\"params\":\"" + text + "\"}")->is_ascii);
      text.replace(place, 1, "\\\"");
      EXPECT_EQ(parse_message("{\"params\":\"" + text + "\"}")->params, "\"" + text + "\"");
    }
  }
}

TEST(DevToolsMessage, compares_strings_by_what_they_mean) {
  EXPECT_TRUE(is_string(R"("Browser.close")", "Browser.close"));
  EXPECT_TRUE(is_string(R"("Browser\u002eclose")", "Browser.close"));
  EXPECT_TRUE(is_string(
      R"("\u0042\u0072\u006f\u0077\u0073\u0065\u0072\u002e\u0063\u006c\u006f\u0073\u0065")",
      "Browser.close"));
  EXPECT_FALSE(is_string(R"("Browser.closed")", "Browser.close"));
  EXPECT_FALSE(is_string(R"("browser.close")", "Browser.close"));
  EXPECT_FALSE(is_string("", "Browser.close"));
  EXPECT_FALSE(is_string("15", ""));
  EXPECT_FALSE(is_string(R"(["Browser.\u0063lose"])", "Browser.close"));
}

TEST(DevToolsMessage, undoes_escapes) {
  EXPECT_EQ(string_of(R"("a\n\"\u00e4\ud83d\ude00")"), "a\n\"\u00e4\U0001f600");
  EXPECT_EQ(string_of(R"("")"), "");
  EXPECT_FALSE(string_of(R"("\ud83d")"));
  EXPECT_FALSE(string_of("5"));
  EXPECT_FALSE(string_of(""));
}

TEST(DevToolsMessage, takes_for_an_id_what_chromium_takes) {
  EXPECT_EQ(integer_of("0"), 0);
  EXPECT_EQ(integer_of("-7"), -7);
  EXPECT_EQ(integer_of("8.0"), 8);
  EXPECT_EQ(integer_of("1e1"), 10);
  EXPECT_EQ(integer_of("2147483647"), 2147483647);
  EXPECT_EQ(integer_of("-2147483648"), -2147483647 - 1);
  for (auto text : {"", "2147483648", "-2147483649", "9007199254740992", "1.5", "1e99999", "\"1\"",
                    "null", "true", "{}", "[]", "99999999999999999999999999999999999999"}) {
    EXPECT_FALSE(integer_of(text)) << text;
  }
  EXPECT_FALSE(integer_of("1." + std::string(1'000'000, '0')));
}

}  // namespace
}  // namespace capstan
