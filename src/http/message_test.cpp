#include "http/message.h"

#include <gtest/gtest.h>

namespace capstan {

TEST(Method, has_one_name) {
  for (Method method : {Method::get, Method::head, Method::post, Method::put, Method::patch,
                        Method::del, Method::options}) {
    EXPECT_EQ(parse_method(to_text(method)), method);
  }
  EXPECT_EQ(to_text(Method::del), "DELETE");
  EXPECT_FALSE(parse_method("get"));
  EXPECT_FALSE(parse_method("TRACE"));
  EXPECT_FALSE(parse_method(""));
}

TEST(Query, is_cut_and_decoded) {
  auto fields = parse_query("a=1&b=%C3%A9%3D&&flag&a=2&plus=1+1&=v&x=y=z");
  ASSERT_TRUE(fields);
  std::string text;
  for (const QueryField& field : *fields) {
    text += field.name + "=" + field.value + ";";
  }
  EXPECT_EQ(text, "a=1;b=é=;flag=;a=2;plus=1+1;=v;x=y=z;");
  EXPECT_TRUE(parse_query("")->empty());
}

TEST(Query, refuses_what_is_not_encoded_text) {
  for (const char* query : {"a=%", "a=%4", "a=%zz", "%00=1", "a=%ff", "a=%c0%af", "a=%ed%a0%80"}) {
    EXPECT_FALSE(parse_query(query)) << query;
  }
  EXPECT_FALSE(parse_query(std::string_view("a\0b=c", 5)));
}

TEST(Request, finds_headers_without_regard_to_case_and_query_fields_with) {
  Request request;
  request.headers = {{"Anchor-Api-Key", "one"}, {"anchor-api-key", "two"}};
  request.query = {{"apiKey", "1"}, {"apiKey", "2"}};
  EXPECT_EQ(request.header("ANCHOR-API-KEY"), "one");
  EXPECT_FALSE(request.header("anchor-api-ke"));
  EXPECT_EQ(request.query_value("apiKey"), "1");
  EXPECT_FALSE(request.query_value("apikey"));
}

TEST(ErrorResponse, has_the_envelope) {
  Response response = error_response(404, "no \"such\" task");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, R"({"error":{"code":404,"message":"no \"such\" task"}})");
  ASSERT_EQ(response.headers.size(), 1U);
  EXPECT_EQ(response.headers[0].value, "application/json");
}

}  // namespace capstan
