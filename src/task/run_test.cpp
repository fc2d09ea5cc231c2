#include "task/run.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

// What is read again after it was stored as a text.
RunSettings stored(const RunSettings& settings) {
  return run_settings_from(parse_json(json::serialize(to_json(settings)), "settings").as_object());
}

}  // namespace

TEST(RunStatusTest, comes_back_from_its_name) {
  for (RunStatus status : {RunStatus::queued, RunStatus::running, RunStatus::success,
                           RunStatus::failure, RunStatus::timeout, RunStatus::cancelled}) {
    EXPECT_EQ(parse_run_status(to_text(status)), status) << to_text(status);
  }
  for (const char* text : {"", "Running", "done", "queued "}) {
    EXPECT_EQ(parse_run_status(text), std::nullopt) << text;
  }
}

TEST(RunStatusTest, all_but_queued_and_running_are_the_end) {
  EXPECT_FALSE(is_ended(RunStatus::queued));
  EXPECT_FALSE(is_ended(RunStatus::running));
  for (RunStatus status :
       {RunStatus::success, RunStatus::failure, RunStatus::timeout, RunStatus::cancelled}) {
    EXPECT_TRUE(is_ended(status)) << to_text(status);
  }
}

TEST(RunSettingsTest, come_back_from_their_json) {
  RunSettings settings;
  settings.inputs = {{"", "empty name"},
                     {"ANCHOR_USER", std::string("nul \0, \"quotes\" and \xe2\x82\xac", 23)},
                     {"empty", ""}};
  settings.session = SessionId::parse("0190abcd-ef01-7234-89ab-cdef01234567");
  settings.browser_configuration.initial_url = "https://example.com/";
  settings.browser_configuration.tags = {{"a", "b"}};
  settings.browser_configuration.headless = true;
  settings.browser_configuration.viewport = Viewport{800, 600};
  settings.browser_configuration.max_duration_min = -1;
  settings.browser_configuration.proxy = {.active = true,
                                          .proxy = AnchorProxy{{"us", "ny", "New York"}}};
  settings.end_opened_sessions = false;
  settings.end_given_session = true;
  RunSettings again = stored(settings);
  EXPECT_EQ(again.inputs, settings.inputs);
  EXPECT_EQ(again.session, settings.session);
  EXPECT_EQ(to_json(again.browser_configuration), to_json(settings.browser_configuration));
  EXPECT_EQ(again.end_opened_sessions, false);
  EXPECT_EQ(again.end_given_session, true);
}

TEST(RunSettingsTest, defaults_come_back_too) {
  RunSettings again = stored({});
  EXPECT_TRUE(again.inputs.empty());
  EXPECT_EQ(again.session, std::nullopt);
  EXPECT_EQ(to_json(again.browser_configuration), json::object());
  EXPECT_EQ(again.end_opened_sessions, true);
  EXPECT_EQ(again.end_given_session, false);
}

TEST(RunSettingsTest, a_custom_proxy_comes_back_with_its_sealed_password) {
  RunSettings settings;
  settings.browser_configuration.proxy = {
      .active = true,
      .proxy = CustomProxy{
          .server = {.host = "proxy.example.com", .port = 80, .username = "u"},
          .password = {"sealed"},
      }};
  SessionConfig again = stored(settings).browser_configuration;
  EXPECT_EQ(to_stored_json(again), to_stored_json(settings.browser_configuration));
  EXPECT_EQ(std::get<CustomProxy>(again.proxy->proxy).password.text, "sealed");
}

}  // namespace capstan
