#include "base/json.h"

#include <cmath>
#include <functional>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace capstan {
namespace {

using testing::AllOf;
using testing::Property;
using testing::StartsWith;
using testing::Throws;

auto refuses(const testing::Matcher<const std::string&>& message) {
  return Throws<Error>(AllOf(Property(&Error::code, ErrorCode::invalid_argument),
                             Property(&Error::message, message)));
}

std::string nested_arrays(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

std::string nested_objects(std::size_t depth) {
  std::string text = "1";
  for (std::size_t level = 0; level < depth; ++level) {
    text.insert(0, R"({"a":)");
    text += '}';
  }
  return text;
}

json::object object_of(std::string_view text) { return parse_json(text, "the test").as_object(); }

// One getter, as one that tells whether it has returned something.
struct Getter {
  std::string name;
  std::function<bool(Fields&, std::string_view)> get;
  std::set<std::string_view> takes;  // fields of all_kinds()
};

// A field of every kind that JSON has, named after it.
json::object all_kinds() {
  return object_of(R"({"null":null,"flag":true,"number":-7,"fraction":1.5,
      "huge":18446744073709551615,"text":"x","texts":["a","b"],"mixed":["a",1],"empty":[],
      "object":{"a":1}})");
}

std::vector<Getter> getters() {
  return {
      {"string", [](Fields& in, auto name) { return in.string(name).has_value(); }, {"text"}},
      {"required_string",
       [](Fields& in, auto name) { return !in.required_string(name).empty(); },
       {"text"}},
      {"boolean", [](Fields& in, auto name) { return in.boolean(name).has_value(); }, {"flag"}},
      {"integer", [](Fields& in, auto name) { return in.integer(name).has_value(); }, {"number"}},
      {"strings",
       [](Fields& in, auto name) { return in.strings(name).has_value(); },
       {"texts", "empty"}},
      {"object", [](Fields& in, auto name) { return in.object(name) != nullptr; }, {"object"}},
      {"nested", [](Fields& in, auto name) { return in.nested(name).has("a"); }, {"object"}},
  };
}

}  // namespace

TEST(ParseJson, takes_one_value_of_any_kind) {
  EXPECT_EQ(parse_json(" null\n", "it"), json::value(nullptr));
  EXPECT_EQ(parse_json("-9223372036854775808", "it").as_int64(), INT64_MIN);
  EXPECT_EQ(parse_json("18446744073709551615", "it").as_uint64(), UINT64_MAX);
  EXPECT_EQ(parse_json("1e308", "it").as_double(), 1e308);
  EXPECT_EQ(parse_json(R"("\ud83d\ude00\u0000")", "it").as_string(),
            std::string_view("\xf0\x9f\x98\x80\0", 5));
  EXPECT_EQ(object_of(R"({"a":[1,{"b":true}]})").size(), 1U);
}

TEST(ParseJson, refuses_what_is_not_one_json_text) {
  using namespace std::string_view_literals;
  for (std::string_view text :
       {// no value, or half of one
        ""sv, " \n"sv, "{"sv, "[1"sv, "\"a"sv, "nul"sv, "-"sv, "1."sv, "1e"sv,
        // not JSON, though some readers take it
        "[1,]"sv, R"({"a":1,})"sv, "{a:1}"sv, "'a'"sv, "01"sv, ".5"sv, "+1"sv, "NaN"sv,
        "Infinity"sv, "0x10"sv, "// note\n1"sv, "/* note */1"sv, "\"\t\""sv, R"("\x41")"sv,
        // something in front of the value, or behind it
        "\xef\xbb\xbf{}"sv, "1 2"sv, "{}x"sv, "{}{}"sv, "1\0"sv,
        // half a surrogate pair
        R"("\ud800")"sv, R"("\udc00")"sv, R"("\ud800A")"sv, R"("\ud800\u0041")"sv,
        R"("\ud800\ud800")"sv,
        // not UTF-8
        "\"\xff\""sv, "\"\xc0\x80\""sv, "\"\xed\xa0\x80\""sv, "\"\xe2\x82\""sv,
        "\"\xf4\x90\x80\x80\""sv, "{\"\x80\":1}"sv}) {
    EXPECT_THAT([&] { parse_json(text, "the body"); }, refuses(StartsWith("the body")))
        << testing::PrintToString(text);
  }
}

TEST(ParseJson, nests_64_deep_and_no_deeper) {
  EXPECT_TRUE(parse_json(nested_arrays(64), "it").is_array());
  EXPECT_TRUE(parse_json(nested_objects(64), "it").is_object());
  for (const std::string& text : {nested_arrays(65), nested_objects(65), nested_arrays(100'000)}) {
    EXPECT_THAT([&] { parse_json(text, "the body"); }, refuses(StartsWith("the body")));
  }
}

TEST(ParseJson, refuses_a_key_given_twice_at_any_depth) {
  for (std::string_view text : {
           R"({"a":1,"a":1})",
           R"({"a":1,"b":2,"a":null})",
           R"({"a":1,"\u0061":2})",
           R"({"":1,"":2})",
           R"([{"a":1},{"b":{"c":1,"c":2}}])",
           R"({"a":{"b":1},"a":{"b":1,"c":2}})",
           R"({"a":[[[{"b":1,"b":1}]]]})",
       }) {
    EXPECT_THAT([&] { parse_json(text, "the body"); }, refuses(StartsWith("the body"))) << text;
  }
}

TEST(ParseJson, takes_the_same_key_in_different_objects) {
  EXPECT_NO_THROW(parse_json(R"({"a":{"a":[{"a":1},{"a":2}]},"A":1})", "it"));
}

TEST(ParseJson, refuses_numbers_out_of_range) {
  for (std::string_view text : {"1e400", "-1e400", "[1e309]", "1e99999999999"}) {
    EXPECT_THAT([&] { parse_json(text, "the body"); }, refuses(StartsWith("the body"))) << text;
  }
}

TEST(ParseJson, counts_every_value_and_refuses_more_than_it_may) {
  const std::string_view seven = R"({"a":[1,-1.5,true],"b":null,"c":"text"})";
  EXPECT_EQ(json::serialize(parse_json(seven, "it", 7)), json::serialize(json::parse(seven)));
  EXPECT_THAT([&] { parse_json(seven, "the body", 6); },
              refuses("the body holds more than 6 values"));
}

TEST(TextAt, gives_texts_and_nothing_else) {
  json::object object = all_kinds();
  for (const auto& member : object) {
    std::string key(member.key());
    EXPECT_EQ(text_at(object, key), key == "text" ? std::optional("x") : std::nullopt) << key;
  }
  EXPECT_EQ(text_at(object, "missing"), std::nullopt);
  EXPECT_EQ(text_at({{"nothing", ""}}, "nothing"), "");
}

TEST(FieldsTest, every_getter_takes_its_own_kind_and_names_every_other) {
  json::object object = all_kinds();
  for (const Getter& getter : getters()) {
    for (const auto& member : object) {
      std::string field(member.key());
      Fields in(object, "order");
      bool got = getter.get(in, field);
      if (getter.takes.contains(field)) {
        EXPECT_TRUE(got) << getter.name << " of " << field;
        EXPECT_NO_THROW(in.done()) << getter.name << " of " << field;
      } else {
        EXPECT_FALSE(got) << getter.name << " of " << field;
        EXPECT_THAT([&] { in.done(); }, refuses(StartsWith("order." + field + " must ")))
            << getter.name << " of " << field;
      }
    }
  }
}

TEST(FieldsTest, what_is_not_there_is_no_problem_unless_it_is_required) {
  json::object object;
  for (const Getter& getter : getters()) {
    Fields in(object);
    EXPECT_FALSE(getter.get(in, "name")) << getter.name;
    if (getter.name == "required_string") {
      EXPECT_THAT([&] { in.done(); }, refuses(testing::Eq("name is required")));
    } else {
      EXPECT_NO_THROW(in.done()) << getter.name;
    }
  }
}

TEST(FieldsTest, getters_return_what_was_sent) {
  json::object object = object_of(
      R"({"text":"a\u0000b","flag":false,"least":-9223372036854775808,
          "most":9223372036854775807,"texts":["b","a","b"],"extra":[{}]})");
  Fields in(object);
  EXPECT_EQ(in.string("text"), std::string("a\0b", 3));
  EXPECT_EQ(in.required_string("text"), std::string("a\0b", 3));
  EXPECT_EQ(in.boolean("flag"), false);
  EXPECT_EQ(in.integer("least"), INT64_MIN);
  EXPECT_EQ(in.integer("most"), INT64_MAX);
  EXPECT_EQ(in.strings("texts"), (std::vector<std::string>{"b", "a", "b"}));
  EXPECT_NO_THROW(in.done());
}

TEST(FieldsTest, done_names_every_problem_with_its_whole_path) {
  json::object object = object_of(R"({"name":1,"session":{"timeout":{"max":"long"},"tags":"x"}})");
  Fields in(object);
  in.required_string("name");
  Fields session = in.nested("session");
  Fields timeout = session.nested("timeout");
  timeout.integer("max");
  timeout.refuse("min", "must be less than max");
  session.strings("tags");
  in.nested("browser").required_string("kind");
  EXPECT_EQ(timeout.path_of("max"), "session.timeout.max");
  EXPECT_THAT([&] { in.done(); },
              refuses(testing::Eq("name must be a string, not a number; "
                                  "session.timeout.max must be a whole number, not a string; "
                                  "session.timeout.min must be less than max; "
                                  "session.tags must be an array of strings, not a string; "
                                  "browser.kind is required")));
  EXPECT_THAT([&] { timeout.done(); }, Throws<Error>()) << "they share one list of problems";
}

TEST(FieldsTest, the_path_stands_in_front_of_every_name) {
  json::object object = object_of(R"({"inner":{"flag":1}})");
  Fields in(object, "browser");
  in.nested("inner").boolean("flag");
  EXPECT_THAT([&] { in.done(); },
              refuses(testing::Eq("browser.inner.flag must be true or false, not a number")));
}

TEST(FieldsTest, an_answer_names_a_bounded_number_of_problems) {
  json::object object;
  for (int number = 100; number < 1100; ++number) {
    object["field" + std::to_string(number)] = nullptr;
  }
  Fields in(object);
  for (const auto& member : object) {
    in.string(member.key());
  }
  EXPECT_THAT([&] { in.done(); }, refuses(AllOf(StartsWith("field100 must be a string, not null; "),
                                                Property(&std::string::size, testing::Lt(1000)))));
}

}  // namespace capstan
