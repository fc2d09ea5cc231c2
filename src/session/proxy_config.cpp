#include "session/proxy_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace capstan {
namespace {

using namespace std::string_view_literals;

// AnchorBrowser's list, and gb, which its documents use although its schema lacks it.
constexpr std::array country_codes = {
    "ad"sv, "ae"sv, "af"sv, "ag"sv, "al"sv, "am"sv, "ao"sv, "ar"sv, "as"sv, "at"sv, "au"sv, "aw"sv,
    "az"sv, "ba"sv, "bb"sv, "be"sv, "bf"sv, "bg"sv, "bh"sv, "bj"sv, "bm"sv, "bo"sv, "br"sv, "bs"sv,
    "by"sv, "bz"sv, "ca"sv, "cg"sv, "ch"sv, "ci"sv, "cl"sv, "cm"sv, "co"sv, "cr"sv, "cu"sv, "cv"sv,
    "cy"sv, "cz"sv, "de"sv, "dk"sv, "dm"sv, "do"sv, "dz"sv, "ec"sv, "ee"sv, "eg"sv, "es"sv, "et"sv,
    "fi"sv, "fo"sv, "fr"sv, "ga"sv, "gb"sv, "gd"sv, "ge"sv, "gf"sv, "gg"sv, "gh"sv, "gi"sv, "gm"sv,
    "gn"sv, "gp"sv, "gr"sv, "gt"sv, "gw"sv, "gy"sv, "hn"sv, "hr"sv, "ht"sv, "hu"sv, "ie"sv, "il"sv,
    "in"sv, "iq"sv, "ir"sv, "is"sv, "it"sv, "jm"sv, "jo"sv, "jp"sv, "kg"sv, "kr"sv, "kw"sv, "kz"sv,
    "lb"sv, "lc"sv, "li"sv, "lt"sv, "lu"sv, "lv"sv, "ly"sv, "ma"sv, "mc"sv, "md"sv, "me"sv, "mk"sv,
    "ml"sv, "mq"sv, "mr"sv, "mt"sv, "mx"sv, "ng"sv, "ni"sv, "nl"sv, "no"sv, "nz"sv, "pa"sv, "pe"sv,
    "pf"sv, "ph"sv, "pk"sv, "pl"sv, "pr"sv, "pt"sv, "py"sv, "qa"sv, "ro"sv, "rs"sv, "sa"sv, "sc"sv,
    "se"sv, "si"sv, "sk"sv, "sl"sv, "sm"sv, "sn"sv, "so"sv, "sr"sv, "st"sv, "sv"sv, "sy"sv, "tc"sv,
    "td"sv, "tg"sv, "tj"sv, "tn"sv, "tr"sv, "tt"sv, "tw"sv, "ua"sv, "us"sv, "uy"sv, "uz"sv, "ve"sv,
    "ye"sv, "za"sv,
};

// The older names are still sent by some official clients and mean the same.
constexpr std::array anchor_types = {"anchor_proxy"sv, "anchor_residential"sv, "anchor_mobile"sv,
                                     "anchor_gov"sv};
constexpr std::size_t place_bytes_max = 100;

template <class List>
bool is_one_of(const List& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

std::string password_context(const TeamId& team) { return team.text() + " proxy password"; }

// The name of a region or city; empty if none is given.
std::string read_place_name(Fields& in, std::string_view name) {
  std::string text = in.string(name).value_or("");
  bool has_control = std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (!text.empty() && (has_control || text.size() > place_bytes_max || place_word(text).empty())) {
    in.refuse(name,
              "must be a name with letters or digits, of at most 100 bytes and without control "
              "characters");
  }
  return text;
}

AnchorProxy read_anchor(Fields& in) {
  Place place{.country = in.string("country_code").value_or("us"),
              .region = read_place_name(in, "region"),
              .city = read_place_name(in, "city")};
  if (in.has("country_code") && !is_one_of(country_codes, place.country)) {
    in.refuse("country_code", "must be a supported two-letter country code such as us");
  }
  if (place.region.empty()) {
    place.city.clear();  // the schema's rule: a city counts together with its region alone
  }
  return {std::move(place)};
}

CustomProxy read_custom(Fields& in, bool active, const TakePassword& take_password) {
  std::string server = in.required_string("server");
  Upstream upstream = parse_upstream(server).value_or(Upstream());
  if (in.has("server") && upstream.host.empty()) {
    in.refuse("server",
              "must be PROTOCOL://HOST:PORT with http, https or socks5, such as "
              "https://proxy.example.com:443");
  }
  upstream.username = in.required_string("username");
  upstream.password = in.required_string("password");
  if (auto problem = credentials_problem(upstream)) {
    in.refuse(problem->field, problem->problem);
  }
  std::string password = std::exchange(upstream.password, {});
  // What nobody is going to use need not be kept.
  bool is_kept = active && in.has("password");
  return {.server = std::move(upstream),
          .password = is_kept ? take_password(std::move(password)) : SealedText()};
}

void add_fields(json::object& object, const AnchorProxy& proxy) {
  object["type"] = "anchor_proxy";
  object["country_code"] = proxy.place.country;
  if (!proxy.place.region.empty()) {
    object["region"] = proxy.place.region;
  }
  if (!proxy.place.city.empty()) {
    object["city"] = proxy.place.city;
  }
}

void add_fields(json::object& object, const CustomProxy& proxy) {
  object["type"] = "custom";
  object["server"] = server_of(proxy.server);
  object["username"] = proxy.server.username;
}

}  // namespace

TakePassword sealing_for(const TeamId& team, const Sealer& sealer) {
  return [context = password_context(team), &sealer](const std::string& password) {
    return sealer.seal(password, context);
  };
}

ProxyConfig read_proxy_config(Fields in, const TakePassword& take_password) {
  ProxyConfig config{.active = in.boolean("active").value_or(false), .proxy = {}};
  if (!in.has("active")) {
    in.refuse("active", "is required");
  }
  std::string type = in.string("type").value_or("anchor_proxy");
  if (type == "custom") {
    config.proxy = read_custom(in, config.active, take_password);
  } else if (is_one_of(anchor_types, type)) {
    config.proxy = read_anchor(in);
  } else {
    in.refuse("type", "must be anchor_proxy or custom");
  }
  return config;
}

json::object to_json(const ProxyConfig& config) {
  json::object object{{"active", config.active}};
  std::visit([&](const auto& proxy) { add_fields(object, proxy); }, config.proxy);
  return object;
}

json::object to_stored_json(const ProxyConfig& config) {
  json::object object = to_json(config);
  const auto* custom = std::get_if<CustomProxy>(&config.proxy);
  if (custom != nullptr && !custom->password.text.empty()) {
    object["password"] = custom->password.text;
  }
  return object;
}

void check_proxy_config(const ProxyConfig& config, const Exits& exits) {
  if (const auto* anchor = std::get_if<AnchorProxy>(&config.proxy); anchor && config.active) {
    exits.at(anchor->place);
  }
}

std::optional<Upstream> upstream_of(const std::optional<ProxyConfig>& config, const TeamId& team,
                                    const Exits& exits, const Sealer& sealer) {
  if (!config || !config->active) {
    return std::nullopt;
  }
  if (const auto* anchor = std::get_if<AnchorProxy>(&config->proxy)) {
    return exits.at(anchor->place);
  }
  const auto& custom = std::get<CustomProxy>(config->proxy);
  Upstream upstream = custom.server;
  upstream.password = sealer.open(custom.password, password_context(team));
  return upstream;
}

bool is_port(std::string_view text) {
  std::uint32_t port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

}  // namespace capstan
