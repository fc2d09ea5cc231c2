#include "egress/exits.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "base/error.h"

namespace capstan {
namespace {

using PlacePart = std::string Place::*;
constexpr std::array<std::pair<std::string_view, PlacePart>, 3> place_parts = {
    {{"country", &Place::country}, {"region", &Place::region}, {"city", &Place::city}}};

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

Place in_words(const Place& place) {
  return {place_word(place.country), place_word(place.region), place_word(place.city)};
}

// --- templates -----------------------------------------------------------------------------------

PlacePart find_part(std::string_view name) {
  for (const auto& [part_name, part] : place_parts) {
    if (name == part_name) {
      return part;
    }
  }
  return nullptr;
}

// What a piece of a template becomes, and which parts of the place have gone into it.
struct Filled {
  std::string text = {};
  Place used = {};
  bool is_complete = true;  // false: the place lacks something that is named
};

// Fills in a text without brackets. Nothing if there is something else than a part in braces.
std::optional<Filled> fill_in(std::string_view text, const Place& place) {
  Filled filled;
  while (!text.empty()) {
    std::size_t open = std::min(text.find_first_of("{}"), text.size());
    filled.text += text.substr(0, open);
    text.remove_prefix(open);
    if (text.empty()) {
      break;
    }
    std::size_t close = text.find('}');
    PlacePart part = close == std::string_view::npos || text.front() != '{'
                         ? nullptr
                         : find_part(text.substr(1, close - 1));
    if (part == nullptr) {
      return std::nullopt;
    }
    filled.text += place.*part;
    filled.used.*part = place.*part;
    filled.is_complete = filled.is_complete && !(place.*part).empty();
    text.remove_prefix(close + 1);
  }
  return filled;
}

void append(Filled& whole, const Filled& piece) {
  whole.text += piece.text;
  whole.is_complete = whole.is_complete && piece.is_complete;
  for (const auto& [name, part] : place_parts) {
    if (!(piece.used.*part).empty()) {
      whole.used.*part = piece.used.*part;
    }
  }
}

// Fills in a template. Nothing for a text that is none.
std::optional<Filled> fill_in_template(std::string_view text, const Place& place) {
  Filled whole;
  bool is_bracketed = false;
  while (true) {
    std::size_t end = std::min(text.find_first_of("[]"), text.size());
    auto piece = fill_in(text.substr(0, end), place);
    bool is_last = end == text.size();
    if (!piece || (is_last ? is_bracketed : (text[end] == ']') != is_bracketed)) {
      return std::nullopt;
    }
    if (!is_bracketed || piece->is_complete) {
      append(whole, *piece);
    }
    if (is_last) {
      return whole;
    }
    is_bracketed = text[end] == '[';
    text.remove_prefix(end + 1);
  }
}

bool is_template(std::string_view username) {
  return username.find_first_of("{}[]") != std::string_view::npos;
}

// --- choosing ------------------------------------------------------------------------------------

// How well an exit serves a place. The first of the least is the best.
using Fit = std::tuple<int, int>;

struct Candidate {
  Fit fit;
  std::string username;
};

// Nothing if the exit does not serve the place. Both have their names in words.
std::optional<Candidate> serve(const Exit& exit, const Place& own, const Place& asked) {
  Place all = own;
  int shared = 0;
  int extra = 0;
  for (const auto& [name, part] : place_parts) {
    bool is_asked = !(asked.*part).empty();
    bool is_own = !(own.*part).empty();
    if (is_asked && is_own && asked.*part != own.*part) {
      return std::nullopt;
    }
    shared += is_asked && is_own ? 1 : 0;
    extra += !is_asked && is_own ? 1 : 0;
    all.*part = is_own ? own.*part : asked.*part;
  }
  auto username = fill_in_template(exit.proxy.username, all);
  if (!username || !username->is_complete) {
    return std::nullopt;
  }
  bool is_anywhere = own.country.empty() && !is_template(exit.proxy.username);
  for (const auto& [name, part] : place_parts) {
    bool is_served = is_anywhere || (asked.*part).empty() || !(own.*part).empty() ||
                     !(username->used.*part).empty();
    if (!is_served) {
      return std::nullopt;
    }
  }
  return Candidate{.fit = {-shared, extra}, .username = std::move(username->text)};
}

std::string told(const Place& place) {
  std::string text;
  for (const auto& [name, part] : place_parts) {
    if (!(place.*part).empty()) {
      text += (text.empty() ? "" : ", ") + place.*part;
    }
  }
  return text;
}

}  // namespace

Upstream Exits::at(const Place& place) const {
  Place asked = in_words(place);
  const Exit* best = nullptr;
  Candidate chosen;
  for (const Exit& exit : exits_) {
    auto candidate = serve(exit, in_words(exit.place), asked);
    if (candidate && (best == nullptr || candidate->fit < chosen.fit)) {
      best = &exit;
      chosen = std::move(*candidate);
    }
  }
  if (best == nullptr) {
    throw Error(ErrorCode::invalid_argument,
                "no exit of this server serves the place that the proxy asks for (" + told(place) +
                    "); exits are named in its setting egress.exits");
  }
  Upstream upstream = best->proxy;
  upstream.username = std::move(chosen.username);
  upstream.is_trusted = true;
  if (credentials_problem(upstream)) {
    throw Error(ErrorCode::invalid_argument,
                "the names of the place that the proxy asks for are "
                "too long for the exit that serves it");
  }
  return upstream;
}

std::optional<FieldProblem> problem_of(const Exit& exit) {
  const Place& place = exit.place;
  for (const auto& [name, part] : place_parts) {
    if (!(place.*part).empty() && place_word(place.*part).empty()) {
      return FieldProblem{name, "must have letters or digits"};
    }
  }
  if (!place.country.empty() && place_word(place.country).size() != 2) {
    return FieldProblem{"country", "must be a two-letter country code such as \"us\""};
  }
  if (!place.region.empty() && place.country.empty()) {
    return FieldProblem{"region", "needs a country"};
  }
  if (!place.city.empty() && place.region.empty()) {
    return FieldProblem{"city", "needs a region"};
  }
  if (!fill_in_template(exit.proxy.username, {})) {
    return FieldProblem{"username",
                        "must have nothing but {country}, {region} and {city} in braces, and in "
                        "brackets a piece that is left out when what it names is not asked for"};
  }
  return credentials_problem(exit.proxy);
}

std::string place_word(std::string_view name) {
  std::string word;
  for (char c : name) {
    bool is_kept = is_letter_or_digit(c) || static_cast<unsigned char>(c) >= 0x80;
    if (is_kept) {
      word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    } else if (!word.empty() && word.back() != '_') {
      word += '_';
    }
  }
  if (word.ends_with('_')) {
    word.pop_back();
  }
  return word;
}

}  // namespace capstan
