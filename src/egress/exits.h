#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "egress/upstream.h"

namespace capstan {

// Where in the world something is, in English and in any case. What is empty is not named; a city
// needs its region, and a region its country.
struct Place {
  std::string country = {};
  std::string region = {};
  std::string city = {};

  friend bool operator==(const Place&, const Place&) = default;
};

// A proxy of whoever runs this server, and where it comes out. Its user name may be a template that
// tells the proxy where to come out:
//
//   customer-acme-cc-{country}[-st-{region}][-city-{city}]
//
// {country}, {region} and {city} become what was asked for, in lower case, with `_` for whatever is
// no letter and no digit, so that nobody can ask for more than a place. A piece in brackets is left
// out when something that it names was not asked for.
struct Exit {
  Place place = {};
  Upstream proxy;
};

// The exits that the configuration names, to be asked for by place. Owned by App; any thread may
// ask.
//
// An exit serves a place if all that was asked for holds: country, region and city are each its own
// or go into its user name. It may be more exact than was asked. An exit without a country and
// without a template serves every place, because its owner says so. Of several, it is the one that
// has most of the place as its own; then the one that is least more exact; then the first.
class Exits {
 public:
  Exits() = default;
  // Exits that have no problem.
  explicit Exits(std::vector<Exit> exits) : exits_(std::move(exits)) {}

  // The way out at that place, which is trusted. Throws invalid_argument when there is none.
  Upstream at(const Place& place) const;

 private:
  std::vector<Exit> exits_;
};

// What is wrong with an exit; nothing if it can be used.
std::optional<FieldProblem> problem_of(const Exit& exit);

// How the name of a place is compared, and goes into a template; empty for what is no name.
std::string place_word(std::string_view name);

}  // namespace capstan
