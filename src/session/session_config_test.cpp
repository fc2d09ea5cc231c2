#include "session/session_config.h"

#include <gtest/gtest.h>

#include "io/outcome.h"

namespace capstan {
namespace {

Outcome<SessionConfig> read(std::string_view text) {
  return outcome_of_call([&] {
    json::value value = parse_json(text, "the test");
    Fields in(value.as_object());
    SessionConfig config = read_session_config(in, already_sealed);
    in.done();
    return config;
  });
}

// What is wrong with a configuration; empty for a good one.
std::string problem_of(std::string_view text) {
  auto outcome = read(text);
  if (outcome.ok()) {
    return {};
  }
  EXPECT_EQ(outcome.error().code(), ErrorCode::invalid_argument) << text;
  return outcome.error().message();
}

std::string with_url(const std::string& url) { return R"({"initial_url":")" + url + "\"}"; }

std::string with_tags(std::size_t count, std::size_t bytes) {
  std::string tags;
  for (std::size_t tag = 0; tag < count; ++tag) {
    tags += (tag == 0 ? "\"" : ",\"") + std::string(bytes, 't') + '"';
  }
  return R"({"tags":[)" + tags + "]}";
}

// Every field set, and none to its default.
constexpr std::string_view everything = R"({
  "initial_url": "https://example.com/start",
  "tags": ["nightly", "acme"],
  "recording": {"active": false},
  "proxy": {"active": false, "type": "anchor_proxy", "country_code": "de"},
  "timeout": {"max_duration": 30, "idle_timeout": -1},
  "live_view": {"read_only": true, "one_time_url": false},
  "headless": {"active": true},
  "viewport": {"width": 800, "height": 600}
})";

}  // namespace

TEST(SessionConfigTest, what_is_not_given_stays_empty) {
  SessionConfig config = read("{}").take();
  EXPECT_FALSE(config.initial_url || config.tags || config.recording || config.proxy ||
               config.max_duration_min || config.idle_timeout_min || config.live_view_read_only ||
               config.live_view_one_time_url || config.headless || config.viewport);
  EXPECT_EQ(json::serialize(to_json(config)), "{}");
}

TEST(SessionConfigTest, reads_every_field) {
  SessionConfig config = read(everything).take();
  EXPECT_EQ(config.initial_url, "https://example.com/start");
  EXPECT_EQ(config.tags, (std::vector<std::string>{"nightly", "acme"}));
  EXPECT_EQ(config.recording, false);
  EXPECT_EQ(std::get<AnchorProxy>(config.proxy->proxy).place.country, "de");
  EXPECT_EQ(config.max_duration_min, 30);
  EXPECT_EQ(config.idle_timeout_min, -1);
  EXPECT_EQ(config.live_view_read_only, true);
  EXPECT_EQ(config.live_view_one_time_url, false);
  EXPECT_EQ(config.headless, true);
  EXPECT_EQ(config.viewport, (Viewport{800, 600}));
}

TEST(SessionConfigTest, comes_back_from_its_json) {
  SessionConfig config = read(everything).take();
  EXPECT_EQ(to_json(config), parse_json(everything, "the test"));
  SessionConfig again = read(json::serialize(to_json(config))).take();
  EXPECT_EQ(to_json(again), to_json(config));
}

TEST(SessionConfigTest, takes_minutes_from_1_to_a_week_or_none) {
  for (std::string name : {"max_duration", "idle_timeout"}) {
    auto timeout = [&](const std::string& minutes) {
      return R"({"timeout":{")" + name + "\":" + minutes + "}}";
    };
    for (const char* good : {"-1", "1", "20", "10080"}) {
      EXPECT_EQ(problem_of(timeout(good)), "") << name << " " << good;
    }
    for (const char* bad : {"0", "-2", "10081", "9223372036854775807", "18446744073709551615",
                            "1.5", "1.0", "\"20\"", "null", "true", "[1]"}) {
      EXPECT_TRUE(problem_of(timeout(bad)).starts_with("timeout." + name + " must "))
          << name << " " << bad;
    }
  }
}

TEST(SessionConfigTest, takes_viewports_from_100_to_7680_by_4320) {
  for (const char* good : {R"({"width":100,"height":100})", R"({"width":7680,"height":4320})",
                           R"({"width":1000})", R"({"height":1000})", "{}"}) {
    EXPECT_EQ(problem_of(R"({"viewport":)" + std::string(good) + "}"), "") << good;
  }
  constexpr std::pair<const char*, const char*> bad[] = {
      {R"({"width":99})", "viewport.width must be from 100 to 7680"},
      {R"({"width":7681})", "viewport.width must be from 100 to 7680"},
      {R"({"width":-100})", "viewport.width must be from 100 to 7680"},
      {R"({"width":4294967396})", "viewport.width must be from 100 to 7680"},
      {R"({"height":99})", "viewport.height must be from 100 to 4320"},
      {R"({"height":4321})", "viewport.height must be from 100 to 4320"},
      {R"({"width":1,"height":1})",
       "viewport.width must be from 100 to 7680; viewport.height must be from 100 to 4320"},
      {R"({"width":"800"})", "viewport.width must be a whole number, not a string"},
      {R"({"width":800.5})", "viewport.width must be a whole number within 64 bits"},
      {"null", "viewport must be an object, not null"},
      {"[800,600]", "viewport must be an object, not an array"},
  };
  for (const auto& [viewport, problem] : bad) {
    EXPECT_EQ(problem_of(R"({"viewport":)" + std::string(viewport) + "}"), problem) << viewport;
  }
}

TEST(SessionConfigTest, a_viewport_of_one_side_has_the_default_for_the_other) {
  EXPECT_EQ(read(R"({"viewport":{"width":1000}})").value().viewport, (Viewport{1000, 900}));
  EXPECT_EQ(read(R"({"viewport":{"height":1000}})").value().viewport, (Viewport{1440, 1000}));
}

TEST(SessionConfigTest, takes_50_tags_of_255_bytes) {
  EXPECT_EQ(problem_of(with_tags(0, 0)), "");
  EXPECT_EQ(problem_of(with_tags(50, 255)), "");
  EXPECT_EQ(problem_of(with_tags(51, 1)), "tags must not be more than 50");
  EXPECT_EQ(problem_of(with_tags(1, 256)), "tags must each have 1 to 255 bytes");
  EXPECT_EQ(problem_of(with_tags(1, 0)), "tags must each have 1 to 255 bytes");
  EXPECT_EQ(problem_of(R"({"tags":["a",1]})"), "tags must hold strings only, not a number");
  EXPECT_EQ(problem_of(R"({"tags":"a"})"), "tags must be an array of strings, not a string");
}

TEST(SessionConfigTest, opens_web_addresses_and_the_blank_page) {
  for (const char* good :
       {"about:blank", "http://example.com", "https://example.com/a/b?c=d#e",
        "https://example.com:8443/", "http://127.0.0.1:3000/", "http://[::1]:3000/",
        "http://localhost/", "https://example.com:65535/", "https://example.com/%C3%A4?q=%20"}) {
    EXPECT_EQ(problem_of(with_url(good)), "") << good;
  }
  EXPECT_EQ(problem_of(with_url("https://example.com/" + std::string(8192 - 20, 'a'))), "");
}

TEST(SessionConfigTest, opens_nothing_else) {
  for (const char* bad : {"",
                          "example.com",
                          "/path",
                          "//example.com/",
                          "https:",
                          "https://",
                          "http:///path",
                          "https://?q",
                          "file:///etc/passwd",
                          "javascript:alert(1)",
                          "data:text/html,x",
                          "chrome://settings",
                          "about:version",
                          "about:blank#x",
                          "devtools://devtools/",
                          "view-source:https://example.com/",
                          "ftp://example.com/",
                          "ws://example.com/",
                          "https://user@example.com/",
                          "https://user:secret@example.com/",
                          "https://@example.com/",
                          "https://example.com:0/",
                          "https://example.com:65536/",
                          "https://example.com:123456/",
                          "https://exa mple.com/",
                          " https://example.com/",
                          "https://example.com/\\n"}) {
    EXPECT_TRUE(problem_of(with_url(bad)).starts_with("initial_url must ")) << bad;
  }
  EXPECT_EQ(problem_of(with_url("https://example.com/" + std::string(8193 - 20, 'a'))),
            "initial_url must not be longer than 8192 bytes");
  EXPECT_EQ(problem_of(R"({"initial_url":1})"), "initial_url must be a string, not a number");
}

TEST(SessionConfigTest, a_password_in_an_address_is_not_repeated) {
  EXPECT_EQ(problem_of(with_url("https://user:secret@example.com/")).find("secret"),
            std::string::npos);
}

TEST(SessionConfigTest, switches_are_true_or_false) {
  constexpr std::pair<const char*, const char*> switches[] = {
      {"recording", "active"},
      {"live_view", "read_only"},
      {"live_view", "one_time_url"},
      {"headless", "active"},
  };
  for (const auto& [object, field] : switches) {
    auto text = [&, name = object, inner = field](const std::string& value) {
      return R"({")" + std::string(name) + R"(":{")" + inner + "\":" + value + "}}";
    };
    std::string path = std::string(object) + "." + field;
    EXPECT_EQ(problem_of(text("true")), "");
    EXPECT_EQ(problem_of(text("false")), "");
    for (const char* bad : {"1", "null", "\"true\"", "{}"}) {
      EXPECT_TRUE(problem_of(text(bad)).starts_with(path + " must be true or false")) << path;
    }
    EXPECT_EQ(problem_of(R"({")" + std::string(object) + R"(":{}})"), "") << path;
    EXPECT_EQ(problem_of(R"({")" + std::string(object) + R"(":true})"),
              std::string(object) + " must be an object, not a boolean");
  }
}

TEST(SessionConfigTest, one_answer_names_everything_that_is_wrong) {
  EXPECT_EQ(problem_of(R"({"initial_url":"x","tags":[""],"timeout":{"max_duration":0}})"),
            "initial_url must be a URL such as https://example.com/; "
            "tags must each have 1 to 255 bytes; "
            "timeout.max_duration must be -1 (no limit) or from 1 to 10080 minutes");
}

TEST(SessionConfigTest, unknown_fields_are_left_alone) {
  EXPECT_EQ(to_json(read(R"({"cookies":[1],"timeout":{"extra":{}}})").value()), json::object());
}

TEST(SessionConfigTest, a_browser_config_has_only_what_is_the_browsers) {
  json::value value = parse_json(everything, "the test");
  SessionConfig config = read_browser_config(Fields(value.as_object()));
  EXPECT_EQ(json::serialize(to_json(config)),
            R"({"headless":{"active":true},"viewport":{"width":800,"height":600}})");
}

TEST(SessionConfigTest, a_one_time_url_needs_a_headful_browser) {
  auto check = [](std::string_view text) {
    return outcome_of_call([&] { check_session_config(read(text).take(), Exits()); });
  };
  EXPECT_TRUE(check(R"({"live_view":{"one_time_url":true}})").ok());
  EXPECT_TRUE(check(R"({"live_view":{"one_time_url":true},"headless":{"active":false}})").ok());
  EXPECT_TRUE(check(R"({"live_view":{"one_time_url":false},"headless":{"active":true}})").ok());
  auto outcome = check(R"({"live_view":{"one_time_url":true},"headless":{"active":true}})");
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::invalid_argument);
}

TEST(SessionConfigTest, an_active_proxy_needs_an_exit_that_serves_it) {
  const Exits exits({{.place = {"de"}, .proxy = {.host = "exit.example", .port = 1}}});
  auto problem = [&](std::string_view text) {
    auto outcome = outcome_of_call([&] { check_session_config(read(text).take(), exits); });
    return outcome.ok() ? "" : outcome.error().message();
  };
  EXPECT_EQ(problem(R"({"proxy":{"active":true,"country_code":"de"}})"), "");
  EXPECT_EQ(problem(R"({"proxy":{"active":false,"country_code":"fr"}})"), "");
  EXPECT_EQ(problem(R"({"proxy":{"active":true,"type":"custom","server":"http://h:80",
                        "username":"u","password":"p"}})"),
            "");
  EXPECT_EQ(problem(R"({"proxy":{"active":true,"country_code":"fr"}})"),
            "no exit of this server serves the place that the proxy asks for (fr); exits are named "
            "in its setting egress.exits");
}

TEST(SessionConfigTest, a_row_has_the_password_sealed_and_a_caller_never) {
  SessionConfig config = read(R"({"tags":["a"],"proxy":{"active":true,"type":"custom",
      "server":"http://h:80","username":"u","password":"sealed"}})")
                             .take();
  EXPECT_EQ(json::serialize(to_json(config)).find("sealed"), std::string::npos);
  EXPECT_EQ(json::serialize(to_full_json(config, BrowserKind::headful)).find("sealed"),
            std::string::npos);
  json::object stored = to_stored_json(config);
  EXPECT_EQ(stored.at("proxy").at("password"), "sealed");
  SessionConfig again = from_stored_json(stored);
  EXPECT_EQ(to_stored_json(again), stored);
  EXPECT_EQ(std::get<CustomProxy>(again.proxy->proxy).password.text, "sealed");
}

TEST(SessionConfigOverlay, lays_one_over_the_other_field_by_field) {
  json::object base = parse_json(everything, "the test").as_object();
  SessionConfig full = read(everything).take();
  EXPECT_EQ(to_json(overlay(full, SessionConfig())), base);
  EXPECT_EQ(to_json(overlay(SessionConfig(), full)), base);
  struct Change {
    const char* over;
    const char* pointer;
    const char* value;
  };
  constexpr Change changes[] = {
      {R"({"initial_url":"about:blank"})", "/initial_url", "\"about:blank\""},
      {R"({"tags":[]})", "/tags", "[]"},
      {R"({"recording":{"active":true}})", "/recording/active", "true"},
      {R"({"proxy":{"active":false}})", "/proxy",
       R"({"active":false,"type":"anchor_proxy","country_code":"us"})"},
      {R"({"timeout":{"max_duration":-1}})", "/timeout/max_duration", "-1"},
      {R"({"timeout":{"idle_timeout":7}})", "/timeout/idle_timeout", "7"},
      {R"({"live_view":{"read_only":false}})", "/live_view/read_only", "false"},
      {R"({"live_view":{"one_time_url":true}})", "/live_view/one_time_url", "true"},
      {R"({"headless":{"active":false}})", "/headless/active", "false"},
      {R"({"viewport":{"width":500}})", "/viewport", R"({"width":500,"height":900})"},
  };
  for (const Change& change : changes) {
    json::value expected = base;
    expected.at_pointer(change.pointer) = parse_json(change.value, "the test");
    EXPECT_EQ(json::value(to_json(overlay(full, read(change.over).take()))), expected)
        << change.over;
  }
}

TEST(SessionConfigFullJson, has_every_default) {
  EXPECT_EQ(json::value(to_full_json(SessionConfig(), BrowserKind::headful)),
            parse_json(R"({
    "session": {"tags": [], "recording": {"active": true},
                "timeout": {"max_duration": 20, "idle_timeout": 5},
                "live_view": {"read_only": false, "one_time_url": false}},
    "browser": {"headless": {"active": false}, "viewport": {"width": 1440, "height": 900}}})",
                       "the test"));
}

TEST(SessionConfigFullJson, has_what_was_asked_for_and_the_kind_that_came_of_it) {
  json::object json = to_full_json(read(everything).take(), BrowserKind::headful);
  EXPECT_EQ(json.at("browser"),
            parse_json(R"({"headless":{"active":false},"viewport":{"width":800,"height":600}})",
                       "the test"));
  EXPECT_EQ(json.at("session").at("timeout").at("max_duration"), 30);
  EXPECT_FALSE(json.at("session").as_object().contains("headless"));
  EXPECT_FALSE(json.at("session").as_object().contains("viewport"));
}

}  // namespace capstan
