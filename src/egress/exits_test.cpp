#include "egress/exits.h"

#include <gtest/gtest.h>

#include "io/outcome.h"

namespace capstan {
namespace {

// An exit whose host is its name.
Exit exit_named(std::string host, Place place, std::string username = {}) {
  return {.place = std::move(place),
          .proxy = {.host = std::move(host), .port = 8080, .username = std::move(username)}};
}

std::string problem_text(const Exit& exit) {
  auto problem = problem_of(exit);
  return problem ? std::string(problem->field) + " " + problem->problem : "";
}

std::string problem_of_username(std::string username) {
  return problem_text(exit_named("a", {}, std::move(username)));
}

// Which exit serves the place; empty for none.
std::string host_at(const Exits& exits, const Place& place) {
  auto outcome = outcome_of_call([&] { return exits.at(place); });
  if (!outcome.ok()) {
    EXPECT_EQ(outcome.error().code(), ErrorCode::invalid_argument);
    return {};
  }
  EXPECT_TRUE(outcome.value().is_trusted);
  return outcome.value().host;
}

// What the template becomes; "none" if an exit with it doesn't serve the place.
std::string username_at(const std::string& username, const Place& place) {
  Exit exit = exit_named("a", {}, username);
  EXPECT_EQ(problem_text(exit), "") << username;
  auto outcome = outcome_of_call([&] { return Exits({exit}).at(place); });
  return outcome.ok() ? outcome.value().username : "none";
}

const Place us{"us"};
const Place california{"us", "California"};
const Place los_angeles{"us", "California", "Los Angeles"};

Upstream with_credentials(Upstream::Protocol protocol, std::string username, std::string password) {
  return {.protocol = protocol,
          .host = "a",
          .port = 1,
          .username = std::move(username),
          .password = std::move(password)};
}

std::string credentials_problem_of(Upstream::Protocol protocol, std::string username,
                                   std::string password) {
  auto problem =
      credentials_problem(with_credentials(protocol, std::move(username), std::move(password)));
  return problem ? std::string(problem->field) + " " + problem->problem : "";
}

constexpr auto http = Upstream::Protocol::http;
constexpr auto https = Upstream::Protocol::https;
constexpr auto socks5 = Upstream::Protocol::socks5;

}  // namespace

TEST(Exits, without_any_no_place_is_served) {
  auto outcome = outcome_of_call([] { return Exits().at(los_angeles); });
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::invalid_argument);
  EXPECT_EQ(outcome.error().message(),
            "no exit of this server serves the place that the proxy asks for (us, California, "
            "Los Angeles); exits are named in its setting egress.exits");
}

TEST(Exits, an_exit_serves_its_own_place_and_what_that_lies_in) {
  Exits exits({exit_named("la", {"US", "california", "LOS ANGELES"})});
  for (const Place& place :
       {us, california, los_angeles, Place{"us", "CALIFORNIA", "los-angeles"}}) {
    EXPECT_EQ(host_at(exits, place), "la");
  }
  for (const Place& place : {Place{"de"}, Place{"us", "ny"}, Place{"us", "california", "fresno"}}) {
    EXPECT_EQ(host_at(exits, place), "");
  }
}

TEST(Exits, an_exit_of_a_country_does_not_pass_for_one_of_a_city) {
  Exits exits({exit_named("us", us)});
  EXPECT_EQ(host_at(exits, us), "us");
  EXPECT_EQ(host_at(exits, california), "");
  EXPECT_EQ(host_at(exits, los_angeles), "");
}

TEST(Exits, one_without_country_and_template_serves_every_place) {
  Exits exits({exit_named("any", {}, "customer")});
  for (const Place& place : {us, los_angeles, Place{"de"}}) {
    EXPECT_EQ(host_at(exits, place), "any");
  }
}

TEST(Exits, the_one_that_fits_best_serves) {
  Exits exits({
      exit_named("any", {}),
      exit_named("provider", {}, "c-{country}[-{region}][-{city}]"),
      exit_named("la", los_angeles),
      exit_named("california", california),
      exit_named("us", us),
      exit_named("us-again", us),
      exit_named("de", {"de"}, "c[-{region}]"),
  });
  EXPECT_EQ(host_at(exits, us), "us") << "neither more exact nor the second";
  EXPECT_EQ(host_at(exits, california), "california");
  EXPECT_EQ(host_at(exits, los_angeles), "la");
  EXPECT_EQ(host_at(exits, {"us", "ny"}), "any") << "the first of those that serve it equally";
  EXPECT_EQ(host_at(exits, {"de"}), "de");
  EXPECT_EQ(host_at(exits, {"de", "hesse"}), "de") << "its user name says the region";
  EXPECT_EQ(host_at(exits, {"de", "hesse", "kassel"}), "any") << "but not the city";
}

TEST(Exits, a_template_tells_the_place) {
  EXPECT_EQ(username_at("customer", us), "customer");
  EXPECT_EQ(username_at("", us), "");
  std::string whole = "customer-acme-cc-{country}[-st-{region}][-city-{city}]";
  EXPECT_EQ(username_at(whole, us), "customer-acme-cc-us");
  EXPECT_EQ(username_at(whole, california), "customer-acme-cc-us-st-california");
  EXPECT_EQ(username_at(whole, los_angeles), "customer-acme-cc-us-st-california-city-los_angeles");
  EXPECT_EQ(username_at("[{city}.{region}.]{country}{country}", california), "none");
  EXPECT_EQ(username_at("[{city}.{region}.]{country}{country}", los_angeles),
            "los_angeles.california.usus");
}

TEST(Exits, a_template_serves_no_place_that_it_cannot_tell) {
  EXPECT_EQ(username_at("{country}", california), "none") << "the region would be lost";
  EXPECT_EQ(username_at("{country}-{city}", us), "none") << "there is no city to tell";
  EXPECT_EQ(username_at("{country}-{city}", los_angeles), "none");
  EXPECT_EQ(username_at("{country}-{region}-{city}", los_angeles), "us-california-los_angeles");
}

TEST(Exits, what_an_exit_has_as_its_own_need_not_be_asked_for_to_be_told) {
  Exits exits({exit_named("a", california, "c-{country}-{region}[-{city}]")});
  EXPECT_EQ(exits.at(us).username, "c-us-california");
  EXPECT_EQ(exits.at(los_angeles).username, "c-us-california-los_angeles");
}

TEST(Exits, nobody_asks_for_more_than_a_place) {
  std::string username = "c-{country}-{region}-{city}";
  EXPECT_EQ(username_at(username, {"us", "ny-session-1", "x:y\r\nz"}), "c-us-ny_session_1-x_y_z");
  EXPECT_EQ(username_at(username, {"us", "{city}", "[a]"}), "c-us-city-a");
}

TEST(Exits, a_user_name_that_grew_too_long_is_refused) {
  Exit exit = exit_named("a", {}, "c-{country}-{region}");
  exit.proxy.protocol = Upstream::Protocol::socks5;
  Exits exits({exit});
  EXPECT_EQ(exits.at({"us", std::string(250, 'a')}).username.size(), 255U);
  auto outcome = outcome_of_call([&] { return exits.at({"us", std::string(251, 'a')}); });
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::invalid_argument);
}

TEST(Exits, keep_the_rest_of_the_proxy) {
  Exits exits({{.place = us,
                .proxy = {.protocol = https, .host = "a", .port = 443, .password = "p{city}"}}});
  Upstream upstream = exits.at(us);
  EXPECT_EQ(upstream.protocol, https);
  EXPECT_EQ(upstream.port, 443);
  EXPECT_EQ(upstream.password, "p{city}") << "a password is no template";
}

TEST(ExitProblem, names_the_field) {
  EXPECT_EQ(problem_text(exit_named("a", los_angeles)), "");
  EXPECT_EQ(problem_text(exit_named("a", {"usa"})),
            "country must be a two-letter country code such as \"us\"");
  EXPECT_EQ(problem_text(exit_named("a", {"us", "!"})), "region must have letters or digits");
  EXPECT_EQ(problem_text(exit_named("a", {"", "ny"})), "region needs a country");
  EXPECT_EQ(problem_text(exit_named("a", {"us", "", "new york"})), "city needs a region");
  EXPECT_EQ(problem_text(exit_named("a", us, "a:b")),
            "username must not hold a colon: HTTP could not tell where the password begins");
}

TEST(ExitProblem, a_template_is_well_formed) {
  for (const char* good : {"", "c", "{country}", "[{city}]", "a[b{city}c]d[{region}]", "[]"}) {
    EXPECT_EQ(problem_of_username(good), "") << good;
  }
  for (const char* bad : {"{", "}", "{country", "country}", "{Country}", "{}", "{zip}", "[", "]",
                          "[{city}", "{city}]", "[[{city}]]", "{country[}]", "{{country}}"}) {
    EXPECT_TRUE(problem_of_username(bad).starts_with("username must have nothing but ")) << bad;
  }
}

TEST(CredentialsProblem, is_what_the_protocol_cannot_carry) {
  for (auto protocol : {http, https, socks5}) {
    EXPECT_EQ(credentials_problem_of(protocol, "", ""), "");
    EXPECT_EQ(credentials_problem_of(protocol, "u", ""), "");
    EXPECT_EQ(credentials_problem_of(protocol, "M\xc3\xbcller !", "p:\xe2\x82\xac"), "");
    EXPECT_EQ(credentials_problem_of(protocol, std::string(255, 'u'), std::string(255, 'p')), "");
    for (const std::string& bad :
         {std::string("a\r\nb"), std::string("a\0b", 3), std::string("\x7f"), std::string("\t"),
          std::string(1025, 'x')}) {
      EXPECT_TRUE(credentials_problem_of(protocol, bad, "p").starts_with("username must have"));
      EXPECT_TRUE(credentials_problem_of(protocol, "u", bad).starts_with("password must have"));
    }
  }
  EXPECT_EQ(credentials_problem_of(http, std::string(1024, 'u'), std::string(1024, 'p')), "");
  EXPECT_EQ(credentials_problem_of(socks5, "u", std::string(256, 'p')),
            "password must have at most 255 bytes and no control characters, with socks5");
  EXPECT_EQ(credentials_problem_of(socks5, "", "p"),
            "username must not be empty when there is a password, with socks5");
  EXPECT_EQ(credentials_problem_of(http, "", "p"), "");
  EXPECT_EQ(credentials_problem_of(socks5, "a:b", "p"), "");
  for (auto protocol : {http, https}) {
    EXPECT_EQ(credentials_problem_of(protocol, "a:b", "p"),
              "username must not hold a colon: HTTP could not tell where the password begins");
  }
}

TEST(ParseUpstream, takes_protocol_host_and_port) {
  struct Good {
    const char* text;
    Upstream::Protocol protocol;
    const char* host;
    std::uint16_t port;
  };
  constexpr Good good[] = {
      {"http://proxy.example.com:80", http, "proxy.example.com", 80},
      {"https://A_b-1.example:65535", https, "A_b-1.example", 65535},
      {"socks5://127.0.0.1:1080", socks5, "127.0.0.1", 1080},
      {"https://[2001:db8::1]:443", https, "2001:db8::1", 443},
  };
  for (const Good& each : good) {
    auto upstream = parse_upstream(each.text);
    ASSERT_TRUE(upstream) << each.text;
    EXPECT_EQ(upstream->protocol, each.protocol) << each.text;
    EXPECT_EQ(upstream->host, each.host) << each.text;
    EXPECT_EQ(upstream->port, each.port) << each.text;
    EXPECT_FALSE(upstream->is_trusted) << each.text;
    EXPECT_EQ(server_of(*upstream), each.text);
  }
}

TEST(ParseUpstream, takes_nothing_else) {
  for (const char* bad : {"",
                          "a",
                          "a:1",
                          "http://a",
                          "http://a:",
                          "http://:1",
                          "http://a:0",
                          "http://a:65536",
                          "http://a:65617",
                          "http://a:-1",
                          "http://a:1/",
                          "http://a:1/path",
                          "http://a:1?q",
                          "http://a:1#f",
                          "ftp://a:1",
                          "socks4://a:1",
                          "socks5h://a:1",
                          "HTTP://a:1",
                          "http:a:1",
                          "http://u:p@a:1",
                          "http://@a:1",
                          "http://a b:1",
                          "http://a%20b:1",
                          "http://a%00:1",
                          "http://[v1.a]:1",
                          "http://[::1:1",
                          "http://::1:1",
                          "http://a:1\r\n",
                          " http://a:1"}) {
    EXPECT_FALSE(parse_upstream(bad)) << bad;
  }
  EXPECT_FALSE(parse_upstream("http://" + std::string(254, 'a') + ":1"));
  EXPECT_TRUE(parse_upstream("http://" + std::string(253, 'a') + ":1"));
}

TEST(PlaceWord, is_how_names_are_compared) {
  EXPECT_EQ(place_word("Los Angeles"), "los_angeles");
  EXPECT_EQ(place_word("  St. John's "), "st_john_s");
  EXPECT_EQ(place_word("M\xc3\xbcnchen"), "m\xc3\xbcnchen");
  for (const char* nothing : {"", " ", "-", "!?_"}) {
    EXPECT_EQ(place_word(nothing), "") << nothing;
  }
}

}  // namespace capstan
