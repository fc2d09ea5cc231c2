#include "http/router.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "base/text.h"

namespace capstan {
namespace {

// What a match says, as one text: "3 id=x", "nothing", "wrong: GET HEAD".
std::string said(const Router& router, Method method, std::string_view path) {
  auto result = router.match(method, path);
  if (auto* match = std::get_if<Router::Match>(&result)) {
    std::string text = std::to_string(match->route);
    for (const auto& [name, value] : match->fields) {
      text += " " + name + "=" + value;
    }
    return text;
  }
  if (auto* wrong = std::get_if<Router::WrongMethod>(&result)) {
    std::string text = "wrong:";
    for (Method allowed : wrong->allowed) {
      text += " " + std::string(to_text(allowed));
    }
    return text;
  }
  return "nothing";
}

}  // namespace

TEST(Router, finds_the_route_and_its_fields) {
  Router router;
  router.add(Method::get, "/", 0);
  router.add(Method::get, "/v1/task/{taskId}/versions", 1);
  router.add(Method::post, "/v1/task/{taskId}/versions/{version}", 2);
  EXPECT_EQ(said(router, Method::get, "/"), "0");
  EXPECT_EQ(said(router, Method::get, "/v1/task/a%20b/versions"), "1 taskId=a b");
  EXPECT_EQ(said(router, Method::post, "/v1/task/t/versions/7"), "2 taskId=t version=7");
  EXPECT_EQ(said(router, Method::get, "/v1/task//versions"), "nothing");
  EXPECT_EQ(said(router, Method::get, "/v1/task/t"), "nothing");
  EXPECT_EQ(said(router, Method::get, "/v1/task/t/versions/7/8"), "nothing");
}

TEST(Router, prefers_literals_whatever_the_order_of_adding) {
  std::vector<std::pair<std::string, std::size_t>> patterns = {
      {"/a/{x}", 1}, {"/a/list", 2}, {"/{y}/list", 3}, {"/{y}/{x}", 4}};
  std::sort(patterns.begin(), patterns.end());
  do {
    Router router;
    for (const auto& [pattern, route] : patterns) {
      router.add(Method::get, pattern, route);
    }
    EXPECT_EQ(said(router, Method::get, "/a/list"), "2");
    EXPECT_EQ(said(router, Method::get, "/a/other"), "1 x=other");
    EXPECT_EQ(said(router, Method::get, "/b/list"), "3 y=b");
    EXPECT_EQ(said(router, Method::get, "/b/other"), "4 y=b x=other");
  } while (std::next_permutation(patterns.begin(), patterns.end()));
}

TEST(Router, goes_on_to_a_field_when_the_literal_leads_nowhere) {
  Router router;
  router.add(Method::get, "/a/b/c", 1);
  router.add(Method::get, "/a/{x}/d", 2);
  EXPECT_EQ(said(router, Method::get, "/a/b/d"), "2 x=b");
}

TEST(Router, knows_the_methods_of_a_path) {
  Router router;
  router.add(Method::get, "/t/{id}", 1);
  router.add(Method::del, "/t/{id}", 2);
  router.add(Method::post, "/t/all", 3);
  EXPECT_EQ(said(router, Method::head, "/t/x"), "1 id=x");
  EXPECT_EQ(said(router, Method::del, "/t/all"), "2 id=all");
  EXPECT_EQ(said(router, Method::put, "/t/x"), "wrong: GET HEAD DELETE");
  EXPECT_EQ(said(router, Method::put, "/t/all"), "wrong: GET HEAD POST DELETE");
}

TEST(Router, takes_one_slash_at_the_end) {
  Router router;
  router.add(Method::get, "/json/version/", 1);
  router.add(Method::get, "/json", 2);
  EXPECT_EQ(said(router, Method::get, "/json/version"), "1");
  EXPECT_EQ(said(router, Method::get, "/json/version/"), "1");
  EXPECT_EQ(said(router, Method::get, "/json/"), "2");
  EXPECT_EQ(said(router, Method::get, "/json//"), "nothing");
  EXPECT_EQ(said(router, Method::get, "/json/version//"), "nothing");
}

TEST(Router, refuses_paths_that_could_be_read_in_two_ways) {
  Router router;
  router.add(Method::get, "/", 0);
  router.add(Method::get, "/v1/{a}", 1);
  router.add(Method::get, "/v1/{a}/{b}", 2);
  router.add(Method::get, "/{a}", 3);
  for (const char* path :
       {"",          "v1/x",     "//",        "//v1",       "//v1/x",       "/v1//x",
        "/v1/./x",   "/v1/../x", "/v1/..",    "/v1/%2e%2e", "/v1/%2E",      "/v1/a%2fb",
        "/v1/a%2Fb", "/v1/%00",  "/v1/a%00b", "/v1/%ff",    "/v1/..%c0%af", "/v1/%ed%a0%80",
        "/v1/%",     "/v1/%4",   "/v1/%zz",   "/v1/%0d%0a", "/v1/%7f",      "*"}) {
    EXPECT_EQ(said(router, Method::get, path), "nothing") << path;
  }
  std::string deep;
  for (int i = 0; i < 10'000; ++i) {
    deep += "/v1";
  }
  EXPECT_EQ(said(router, Method::get, deep), "nothing");
}

// Whatever is asked, a field is one whole segment: text, not empty, no way to another place.
TEST(Router, never_lets_a_segment_escape) {
  Router router;
  router.add(Method::get, "/v1/{a}", 1);
  router.add(Method::get, "/v1/{a}/{b}", 2);
  router.add(Method::get, "/{a}/{b}/{c}", 3);
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::vector<std::string> pieces = {"/", "v1",  ".", "..",   "%2f", "%2e", "%00", "%c3%a9",
                                           "%", "%ff", "a", "\xff", "é",   "%5c", "//",  "?"};
  std::size_t matches = 0;
  for (int round = 0; round < 50'000; ++round) {
    std::string path = round % 2 == 0 ? "/v1/" : "";
    for (auto count = random() % 8; count > 0; --count) {
      path += pieces[random() % pieces.size()];
    }
    auto result = router.match(Method::get, path);
    if (auto* match = std::get_if<Router::Match>(&result)) {
      ++matches;
      for (const auto& [name, value] : match->fields) {
        EXPECT_TRUE(is_utf8(value) && !value.empty() && value != "." && value != "..") << path;
        EXPECT_EQ(value.find_first_of(std::string_view("/\0", 2)), std::string::npos) << path;
      }
    }
  }
  EXPECT_GT(matches, 1000U);
}

TEST(RouterDeathTest, ends_the_program_for_two_routes_in_one_place) {
  Router router;
  router.add(Method::get, "/t/{id}", 1);
  router.add(Method::post, "/t/{id}", 2);
  EXPECT_DEATH(router.add(Method::get, "/t/{name}/", 3), "");
}

}  // namespace capstan
