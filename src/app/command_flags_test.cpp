#include "app/command_flags.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace capstan {
namespace {

const Environment both = {{"CAPSTAN_URL", "http://ours"},
                          {"CAPSTAN_API_KEY", "ours"},
                          {"ANCHORBROWSER_BASE_URL", "http://sdk"},
                          {"ANCHORBROWSER_API_KEY", "sdk"}};

TEST(CommandFlags, beat_our_variables_which_beat_those_of_the_sdk) {
  ServerAddress by_flag = server_address({.url = "http://flag", .api_key = "flag"}, both);
  EXPECT_EQ(by_flag.url, "http://flag");
  EXPECT_EQ(by_flag.api_key, "flag");

  ServerAddress by_ours = server_address({}, both);
  EXPECT_EQ(by_ours.url, "http://ours");
  EXPECT_EQ(by_ours.api_key, "ours");

  Environment sdk = both;
  sdk["CAPSTAN_URL"] = "";
  sdk.erase("CAPSTAN_API_KEY");
  ServerAddress by_sdk = server_address({}, sdk);
  EXPECT_EQ(by_sdk.url, "http://sdk");
  EXPECT_EQ(by_sdk.api_key, "sdk");
}

TEST(CommandFlags, find_the_server_where_it_is_by_default) {
  EXPECT_EQ(server_address({.url = {}, .api_key = "a"}, {}).url, "http://127.0.0.1:8700");
  EXPECT_EQ(server_address({.url = "https://a.example/base//", .api_key = "a"}, {}).url,
            "https://a.example/base");
}

TEST(CommandFlags, miss_a_key_that_nobody_gave) {
  auto without = [] {
    server_address({.url = "http://a", .api_key = {}}, {{"CAPSTAN_API_KEY", ""}});
  };
  EXPECT_THROW(without(), Error);
}

}  // namespace
}  // namespace capstan
