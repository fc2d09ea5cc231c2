#include "http/file_response.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

OfferedFile offered() {
  return {.file = std::make_shared<const Fd>(),
          .size = 1000,
          .etag = "\"one\"",
          .content_type = "video/mp4",
          .name = "session.mp4"};
}

Response answer(Method method, std::vector<Header> headers) {
  Request request;
  request.method = method;
  request.headers = std::move(headers);
  return file_response(offered(), request);
}

Response get(std::vector<Header> headers = {}) { return answer(Method::get, std::move(headers)); }

std::string header_of(const Response& response, std::string_view name) {
  for (const Header& header : response.headers) {
    if (header.name == name) {
      return header.value;
    }
  }
  return {};
}

void expect_whole(const Response& response) {
  EXPECT_EQ(response.status, 200);
  ASSERT_TRUE(response.file);
  EXPECT_EQ(response.file->offset, 0U);
  EXPECT_EQ(response.file->length, 1000U);
  EXPECT_EQ(header_of(response, "content-range"), "");
}

void expect_part(const Response& response) {
  EXPECT_EQ(response.status, 206);
  ASSERT_TRUE(response.file);
  EXPECT_EQ(response.file->offset, 100U);
  EXPECT_EQ(response.file->length, 50U);
  EXPECT_EQ(header_of(response, "content-range"), "bytes 100-149/1000");
}

TEST(FileResponse, is_the_whole_file_and_says_what_it_is) {
  Response response = get();
  expect_whole(response);
  EXPECT_EQ(header_of(response, "content-type"), "video/mp4");
  EXPECT_EQ(header_of(response, "etag"), "\"one\"");
  EXPECT_EQ(header_of(response, "accept-ranges"), "bytes");
  EXPECT_EQ(header_of(response, "content-disposition"), "inline; filename=\"session.mp4\"");
  EXPECT_EQ(header_of(response, "x-content-type-options"), "nosniff");
  EXPECT_EQ(header_of(response, "cache-control"), "private, no-cache");
}

TEST(FileResponse, is_the_part_that_was_asked_for) {
  Response response = get({{"range", "bytes=100-149"}});
  expect_part(response);
  EXPECT_EQ(header_of(response, "content-type"), "video/mp4");
  EXPECT_EQ(header_of(response, "etag"), "\"one\"");
}

TEST(FileResponse, says_how_long_the_file_is_to_who_asks_for_more) {
  Response response = get({{"range", "bytes=1000-"}});
  EXPECT_EQ(response.status, 416);
  EXPECT_FALSE(response.file);
  EXPECT_EQ(header_of(response, "content-range"), "bytes */1000");
  EXPECT_EQ(header_of(response, "content-type"), "application/json");
  EXPECT_NE(response.body.find("1000 bytes"), std::string::npos);
}

TEST(FileResponse, leaves_ranges_alone_that_it_does_not_serve) {
  expect_whole(get({{"range", "bytes=0-1,5-6"}}));
  expect_whole(get({{"range", "seconds=0-1"}}));
  expect_whole(answer(Method::head, {{"range", "bytes=100-149"}}));
  expect_whole(answer(Method::head, {{"range", "bytes=1000-"}}));
}

TEST(FileResponse, goes_on_only_with_the_file_that_was_begun) {
  expect_part(get({{"range", "bytes=100-149"}, {"if-range", "\"one\""}}));
  for (const char* other : {"\"two\"", "W/\"one\"", "one", "\"one\", \"two\"", "*", "",
                            "Sun, 06 Nov 1994 08:49:37 GMT"}) {
    expect_whole(get({{"range", "bytes=100-149"}, {"if-range", other}}));
    expect_whole(get({{"range", "bytes=1000-"}, {"if-range", other}}));
  }
}

TEST(FileResponse, is_not_sent_to_who_has_it) {
  for (const char* known : {"\"one\"", "W/\"one\"", "\"two\", \"one\"", "\"two\",W/\"one\"", "*"}) {
    for (Method method : {Method::get, Method::head}) {
      Response response = answer(method, {{"if-none-match", known}, {"range", "bytes=1000-"}});
      EXPECT_EQ(response.status, 304) << known;
      EXPECT_FALSE(response.file);
      EXPECT_EQ(header_of(response, "etag"), "\"one\"");
      EXPECT_EQ(header_of(response, "cache-control"), "private, no-cache");
    }
  }
  for (const char* other : {"\"two\"", "one", "", "\"ONE\""}) {
    expect_whole(get({{"if-none-match", other}}));
  }
  expect_part(get({{"if-none-match", "\"two\""}, {"range", "bytes=100-149"}}));
}

}  // namespace
}  // namespace capstan
