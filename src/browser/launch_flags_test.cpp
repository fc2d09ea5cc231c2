#include "browser/launch_flags.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace capstan {
namespace {

bool has(const std::vector<std::string>& arguments, std::string_view flag) {
  return std::find(arguments.begin(), arguments.end(), flag) != arguments.end();
}

// Everything that can be launched.
std::vector<LaunchFlags> all_flags() {
  std::vector<LaunchFlags> all;
  for (BrowserKind kind : {BrowserKind::headful, BrowserKind::headless}) {
    for (bool own_sandbox : {true, false}) {
      for (bool has_shared_memory : {true, false}) {
        all.push_back({.kind = kind,
                       .profile_folder = "/profile",
                       .user_agent = user_agent("156.0.8078.79"),
                       .proxy = "http://127.0.0.1:8723",
                       .own_sandbox = own_sandbox,
                       .has_shared_memory = has_shared_memory});
      }
    }
  }
  return all;
}

// The value of a flag that must be there once.
std::string value_of(const std::vector<std::string>& arguments, const std::string& flag) {
  std::vector<std::string> values;
  for (const std::string& argument : arguments) {
    if (argument.starts_with(flag + "=")) {
      values.push_back(argument.substr(flag.size() + 1));
    }
  }
  EXPECT_EQ(values.size(), 1U) << flag;
  return values.empty() ? "" : values.front();
}

}  // namespace

TEST(LaunchFlagsTest, devtools_are_reached_by_the_pipe_and_never_by_a_port) {
  for (const LaunchFlags& flags : all_flags()) {
    auto arguments = to_arguments(flags);
    EXPECT_TRUE(has(arguments, "--remote-debugging-pipe"));
    for (const std::string& argument : arguments) {
      EXPECT_EQ(argument.find("remote-debugging-port"), std::string::npos);
      EXPECT_EQ(argument.find("remote-debugging-address"), std::string::npos);
      EXPECT_EQ(argument.find("remote-allow-origins"), std::string::npos);
    }
  }
}

TEST(LaunchFlagsTest, the_browsers_own_sandbox_is_only_off_when_told) {
  for (const LaunchFlags& flags : all_flags()) {
    auto arguments = to_arguments(flags);
    EXPECT_EQ(has(arguments, "--no-sandbox"), !flags.own_sandbox);
    for (const std::string& argument : arguments) {
      if (argument.find("sandbox") != std::string::npos) {
        EXPECT_EQ(argument, "--no-sandbox");
      }
      EXPECT_EQ(argument.find("disable-web-security"), std::string::npos);
      EXPECT_EQ(argument.find("site-isolation"), std::string::npos);
    }
  }
}

TEST(LaunchFlagsTest, everything_goes_through_the_proxy_and_loopback_too) {
  for (const LaunchFlags& flags : all_flags()) {
    auto arguments = to_arguments(flags);
    EXPECT_EQ(value_of(arguments, "--proxy-server"), "http://127.0.0.1:8723");
    EXPECT_EQ(value_of(arguments, "--proxy-bypass-list"), "<-loopback>");
  }
}

TEST(LaunchFlagsTest, without_shared_memory_of_its_own_it_does_without) {
  for (const LaunchFlags& flags : all_flags()) {
    EXPECT_EQ(has(to_arguments(flags), "--disable-dev-shm-usage"), !flags.has_shared_memory);
  }
}

TEST(LaunchFlagsTest, every_flag_stands_once_and_the_blank_page_last) {
  for (const LaunchFlags& flags : all_flags()) {
    auto arguments = to_arguments(flags);
    EXPECT_EQ(arguments.back(), "about:blank");
    arguments.pop_back();
    std::vector<std::string> names;
    for (const std::string& argument : arguments) {
      EXPECT_TRUE(argument.starts_with("--")) << argument;
      names.push_back(argument.substr(0, argument.find('=')));
    }
    std::sort(names.begin(), names.end());
    EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end())
        << "Chromium takes the last of two equal flags";
  }
}

TEST(LaunchFlagsTest, profile_and_user_agent_are_the_orders) {
  for (const LaunchFlags& flags : all_flags()) {
    auto arguments = to_arguments(flags);
    EXPECT_EQ(value_of(arguments, "--user-data-dir"), "/profile");
    EXPECT_EQ(value_of(arguments, "--user-agent"), flags.user_agent);
  }
}

TEST(LaunchFlagsTest, the_window_leaves_a_page_of_the_default_viewport) {
  EXPECT_EQ(bars_height(BrowserKind::headless), 0);
  for (const LaunchFlags& flags : all_flags()) {
    EXPECT_EQ(value_of(to_arguments(flags), "--window-size"),
              "1440," + std::to_string(900 + bars_height(flags.kind)));
  }
}

TEST(UserAgent, never_says_headless_and_has_the_major_version_alone) {
  std::string text = user_agent("156.0.8078.79");
  EXPECT_EQ(text,
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/156.0.0.0 Safari/537.36");
  EXPECT_NE(user_agent("157.0.1.2").find("Chrome/157.0.0.0 "), std::string::npos);
  EXPECT_NE(user_agent("99").find("Chrome/99.0.0.0 "), std::string::npos);
  for (const char* version : {"156.0.8078.79", "99", ""}) {
    EXPECT_EQ(user_agent(version).find("eadless"), std::string::npos);
  }
}

TEST(BrowserKindTest, has_the_name_of_the_configuration) {
  EXPECT_EQ(to_text(BrowserKind::headful), "headful");
  EXPECT_EQ(to_text(BrowserKind::headless), "headless");
}

}  // namespace capstan
