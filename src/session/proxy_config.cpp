#include "session/proxy_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

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

constexpr std::size_t text_bytes_max = 1024;

// Texts that end up in a proxy's protocol must not be able to begin a line of their own there.
void check_text(Fields& in, std::string_view name, const std::optional<std::string>& text) {
  bool has_control = text && std::any_of(text->begin(), text->end(), [](char c) {
                       return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
                     });
  if (text && (has_control || text->size() > text_bytes_max)) {
    in.refuse(name, "must have at most 1024 bytes and no control characters");
  }
}

// PROTOCOL://HOST:PORT and nothing else, so that there is one way to read it.
bool is_proxy_address(std::string_view text) {
  auto url = boost::urls::parse_uri(text);
  if (!url || text.size() > text_bytes_max || url->has_userinfo() || url->has_query() ||
      url->has_fragment() || !url->encoded_path().empty() || url->host().empty()) {
    return false;
  }
  std::string_view port(url->port().data(), url->port().size());
  return (url->scheme() == "http" || url->scheme() == "https" || url->scheme() == "socks5") &&
         is_port(port);
}

void check_custom(Fields& in) {
  std::string server = in.required_string("server");
  if (in.has("server") && !is_proxy_address(server)) {
    in.refuse("server",
              "must be PROTOCOL://HOST:PORT with http, https or socks5, such as "
              "https://proxy.example.com:443");
  }
  for (std::string_view name : {"username", "password"}) {
    std::string text = in.required_string(name);
    check_text(in, name, text);
  }
}

void check_anchor(Fields& in) {
  auto country = in.string("country_code");
  if (country &&
      std::find(country_codes.begin(), country_codes.end(), *country) == country_codes.end()) {
    in.refuse("country_code", "must be a supported two-letter country code such as us");
  }
  check_text(in, "region", in.string("region"));
  check_text(in, "city", in.string("city"));
}

}  // namespace

bool is_port(std::string_view text) {
  std::uint32_t port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

json::object read_proxy_config(Fields in, const json::object& sent) {
  auto active = in.boolean("active");
  if (!in.has("active")) {
    in.refuse("active", "is required");
  }
  // The older names are still sent by some official clients and mean the same.
  constexpr std::array anchor_types = {"anchor_proxy"sv, "anchor_residential"sv, "anchor_mobile"sv,
                                       "anchor_gov"sv};
  std::string type = in.string("type").value_or("anchor_proxy");
  if (type == "custom") {
    check_custom(in);
  } else if (std::find(anchor_types.begin(), anchor_types.end(), type) != anchor_types.end()) {
    check_anchor(in);
  } else {
    in.refuse("type", "must be anchor_proxy or custom");
  }
  if (active.value_or(false)) {
    in.refuse("active", "must be false: this server can't apply proxies yet");
  }
  json::object kept = sent;
  kept.erase("password");
  return kept;
}

}  // namespace capstan
