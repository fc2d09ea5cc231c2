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
                .proxy = {.protocol = Upstream::Protocol::https,
                          .host = "a",
                          .port = 443,
                          .password = "p{city}"}}});
  Upstream upstream = exits.at(us);
  EXPECT_EQ(upstream.protocol, Upstream::Protocol::https);
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

TEST(PlaceWord, is_how_names_are_compared) {
  EXPECT_EQ(place_word("Los Angeles"), "los_angeles");
  EXPECT_EQ(place_word("  St. John's "), "st_john_s");
  EXPECT_EQ(place_word("M\xc3\xbcnchen"), "m\xc3\xbcnchen");
  for (const char* nothing : {"", " ", "-", "!?_"}) {
    EXPECT_EQ(place_word(nothing), "") << nothing;
  }
}

}  // namespace capstan
