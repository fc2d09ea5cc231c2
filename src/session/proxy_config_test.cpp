#include "session/proxy_config.h"

#include <gtest/gtest.h>

#include "io/outcome.h"

namespace capstan {
namespace {

class ProxyConfigTest : public testing::Test {
 public:
  Outcome<ProxyConfig> read_text(const std::string& text) {
    return outcome_of_call([&] {
      json::value value = parse_json(text, "the test");
      Fields in(value.as_object(), "proxy");
      ProxyConfig config = read_proxy_config(in, sealing_for(acme_, sealer_));
      in.done();
      return config;
    });
  }

  ProxyConfig read(const std::string& text) { return read_text(text).take(); }

  // What is wrong with a configuration; empty for a good one.
  std::string problem_of(const std::string& text) {
    auto outcome = read_text(text);
    if (outcome.ok()) {
      return {};
    }
    EXPECT_EQ(outcome.error().code(), ErrorCode::invalid_argument) << text;
    EXPECT_EQ(outcome.error().message().find("secret"), std::string::npos) << text;
    return outcome.error().message();
  }

  std::optional<Upstream> upstream(const ProxyConfig& config) {
    return upstream_of(config, acme_, exits_, sealer_);
  }

 protected:
  static constexpr std::uint64_t seed = 12;
  testing::ScopedTrace trace_{__FILE__, __LINE__, "seed " + std::to_string(seed)};
  SeededRandom random_{seed};
  const TeamId acme_ = TeamId::make(from_unix_ms(0), random_);
  const TeamId other_ = TeamId::make(from_unix_ms(0), random_);
  const Sealer sealer_{{{.id = "key"}}, random_};
  const Exits exits_{{
      {.place = {"us"}, .proxy = {.host = "us.example", .port = 1}},
      {.proxy = {.host = "any.example", .port = 2, .username = "c-{country}[-{region}][-{city}]"}},
  }};
};

std::string anchor(const std::string& fields, bool active = true) {
  return std::string("{\"active\":") + (active ? "true" : "false") +
         (fields.empty() ? "" : "," + fields) + "}";
}

std::string custom(const std::string& server, const std::string& username,
                   const std::string& password, bool active = true) {
  return anchor(R"("type":"custom","server":")" + server + R"(","username":")" + username +
                    R"(","password":")" + password + '"',
                active);
}

Place place_of(const ProxyConfig& config) { return std::get<AnchorProxy>(config.proxy).place; }

}  // namespace

TEST_F(ProxyConfigTest, every_name_of_an_anchor_proxy_is_the_same) {
  for (const char* type : {"", R"("type":"anchor_proxy")", R"("type":"anchor_residential")",
                           R"("type":"anchor_mobile")", R"("type":"anchor_gov")"}) {
    ProxyConfig config = read(anchor(type));
    EXPECT_TRUE(config.active);
    EXPECT_EQ(place_of(config), Place{"us"}) << "the default";
    EXPECT_EQ(json::value(to_json(config)),
              parse_json(R"({"active":true,"type":"anchor_proxy","country_code":"us"})", "it"));
  }
}

TEST_F(ProxyConfigTest, a_city_counts_together_with_its_region_alone) {
  EXPECT_EQ(place_of(read(anchor(R"("country_code":"de","city":"Kassel")"))), Place{"de"});
  EXPECT_EQ(place_of(read(anchor(R"("country_code":"de","region":"","city":"Kassel")"))),
            Place{"de"});
  EXPECT_EQ(place_of(read(anchor(R"("country_code":"de","region":"Hesse","city":"")"))),
            (Place{"de", "Hesse"}));
  ProxyConfig whole = read(anchor(R"("country_code":"de","region":"Hesse","city":"Kassel")"));
  EXPECT_EQ(place_of(whole), (Place{"de", "Hesse", "Kassel"}));
  EXPECT_EQ(json::value(to_json(whole)),
            parse_json(R"({"active":true,"type":"anchor_proxy","country_code":"de",
                           "region":"Hesse","city":"Kassel"})",
                       "it"));
}

TEST_F(ProxyConfigTest, refuses_what_is_no_place) {
  constexpr std::string_view name =
      "must be a name with letters or digits, of at most 100 bytes and without control characters";
  for (const char* code : {"xx", "US", "kp", "usa", "", "u", " us"}) {
    EXPECT_EQ(problem_of(anchor(R"("country_code":")" + std::string(code) + '"')),
              "proxy.country_code must be a supported two-letter country code such as us");
  }
  for (const std::string field : {"region", "city"}) {
    for (const std::string& bad :
         {std::string(101, 'x'), std::string("a\\r\\nb"), std::string("a\\u0000"),
          std::string("a\x7f"), std::string(" "), std::string("!?")}) {
      EXPECT_EQ(problem_of(anchor('"' + field + "\":\"" + bad + '"')),
                "proxy." + field + " " + std::string(name));
    }
    EXPECT_EQ(problem_of(anchor('"' + field + "\":1")),
              "proxy." + field + " must be a string, not a number");
    EXPECT_EQ(problem_of(anchor('"' + field + "\":\"" + std::string(100, 'x') + '"')), "");
  }
}

TEST_F(ProxyConfigTest, refuses_what_has_no_form) {
  EXPECT_EQ(problem_of("{}"), "proxy.active is required");
  EXPECT_EQ(problem_of(R"({"active":null})"), "proxy.active must be true or false, not null");
  EXPECT_EQ(problem_of(anchor(R"("type":"tor")")), "proxy.type must be anchor_proxy or custom");
  EXPECT_EQ(problem_of(anchor(R"("type":null)")), "proxy.type must be a string, not null");
  for (bool active : {true, false}) {
    EXPECT_EQ(problem_of(anchor(R"("type":"custom")", active)),
              "proxy.server is required; proxy.username is required; proxy.password is required");
  }
}

TEST_F(ProxyConfigTest, a_custom_proxy_is_protocol_host_and_port) {
  for (const char* server : {"http://proxy.example.com:80", "https://proxy.example.com:65535",
                             "socks5://127.0.0.1:1080", "https://[2001:db8::1]:443"}) {
    ProxyConfig config = read(custom(server, "u", "secret"));
    EXPECT_EQ(to_json(config).at("server"), server);
    EXPECT_EQ(server_of(*upstream(config)), server);
  }
  for (const char* server : {"", "proxy.example.com:80", "http://proxy.example.com",
                             "http://u:secret@proxy.example.com:80", "http://h:0"}) {
    EXPECT_EQ(problem_of(custom(server, "u", "secret")),
              "proxy.server must be PROTOCOL://HOST:PORT with http, https or socks5, such as "
              "https://proxy.example.com:443")
        << server;
  }
}

TEST_F(ProxyConfigTest, credentials_are_what_the_protocol_can_carry) {
  EXPECT_EQ(problem_of(custom("http://h:80", "", "")), "");
  EXPECT_EQ(problem_of(custom("http://h:80", "M\xc3\xbcller", "p:q")), "");
  EXPECT_EQ(problem_of(custom("http://h:80", "a:b", "secret")),
            "proxy.username must not hold a colon: HTTP could not tell where the password begins");
  EXPECT_EQ(problem_of(custom("socks5://h:80", "a:b", std::string(255, 'x'))), "");
  EXPECT_EQ(problem_of(custom("socks5://h:80", "u", std::string(256, 'x'))),
            "proxy.password must have at most 255 bytes and no control characters, with socks5");
  EXPECT_EQ(problem_of(custom("https://h:80", "u", "secret\\r\\n")),
            "proxy.password must have at most 1024 bytes and no control characters");
}

TEST_F(ProxyConfigTest, one_that_is_not_active_is_no_proxy_and_keeps_no_password) {
  EXPECT_EQ(upstream_of(std::nullopt, acme_, exits_, sealer_), std::nullopt);
  EXPECT_EQ(upstream(read(anchor(R"("country_code":"de")", false))), std::nullopt);
  ProxyConfig config = read(custom("http://h:80", "u", "secret", false));
  EXPECT_EQ(upstream(config), std::nullopt);
  EXPECT_EQ(json::value(to_stored_json(config)),
            parse_json(R"({"active":false,"type":"custom","server":"http://h:80","username":"u"})",
                       "it"));
}

TEST_F(ProxyConfigTest, a_password_is_sealed_in_a_row_and_nowhere_told) {
  ProxyConfig config = read(custom("http://h:80", "u", "secret"));
  EXPECT_FALSE(to_json(config).contains("password"));
  json::object stored = to_stored_json(config);
  EXPECT_TRUE(stored.at("password").as_string().starts_with("v1:key:"));
  EXPECT_EQ(json::serialize(stored).find("secret"), std::string::npos);
  ProxyConfig again = read_proxy_config(Fields(stored), already_sealed);
  EXPECT_EQ(to_stored_json(again), stored);
  EXPECT_EQ(upstream(again)->password, "secret");
  EXPECT_EQ(upstream(again)->username, "u");
  EXPECT_FALSE(upstream(again)->is_trusted);
}

TEST_F(ProxyConfigTest, the_longest_password_comes_back_from_a_row) {
  std::string password(1024, 'p');
  json::object stored = to_stored_json(read(custom("http://h:80", "u", password)));
  EXPECT_EQ(upstream(read_proxy_config(Fields(stored), already_sealed))->password, password);
}

TEST_F(ProxyConfigTest, another_teams_password_does_not_open) {
  ProxyConfig config = read(custom("http://h:80", "u", "secret"));
  auto outcome = outcome_of_call([&] { return upstream_of(config, other_, exits_, sealer_); });
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::internal);
}

TEST_F(ProxyConfigTest, an_anchor_proxy_is_an_exit) {
  EXPECT_EQ(upstream(read(anchor("")))->host, "us.example");
  auto exit = upstream(read(anchor(R"("country_code":"us","region":"ny","city":"New York")")));
  EXPECT_EQ(exit->host, "any.example");
  EXPECT_EQ(exit->username, "c-us-ny-new_york");
  EXPECT_TRUE(exit->is_trusted);
}

TEST_F(ProxyConfigTest, a_place_that_no_exit_serves_is_told) {
  auto check = [](const ProxyConfig& config) {
    return outcome_of_call([&] { check_proxy_config(config, Exits()); });
  };
  EXPECT_TRUE(check(read(anchor(R"("country_code":"de")", false))).ok());
  EXPECT_TRUE(check(read(custom("http://h:80", "u", "secret"))).ok());
  auto outcome = check(read(anchor(R"("country_code":"de","region":"Hesse")")));
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::invalid_argument);
  EXPECT_NE(outcome.error().message().find("(de, Hesse)"), std::string::npos);
}

}  // namespace capstan
