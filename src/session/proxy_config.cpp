#include "session/proxy_config.h"

#include <algorithm>
#include <array>
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

void check_custom(Fields& in) {
  std::string server = in.required_string("server");
  in.required_string("username");
  in.required_string("password");
  std::size_t scheme_end = server.find("://");
  std::string_view scheme = std::string_view(server).substr(0, scheme_end);
  std::size_t port = server.rfind(':');
  bool is_address = scheme_end != std::string::npos && port > scheme_end + 3 &&
                    port + 1 < server.size() && server.size() - port <= 6 &&
                    server.find_first_not_of("0123456789", port + 1) == std::string::npos &&
                    server.find_first_of(" \r\n\t/@", scheme_end + 3) == std::string::npos;
  if (in.has("server") &&
      (!is_address || (scheme != "http" && scheme != "https" && scheme != "socks5"))) {
    in.refuse("server",
              "must be PROTOCOL://HOST:PORT with http, https or socks5, such as "
              "https://proxy.example.com:443");
  }
}

void check_anchor(Fields& in) {
  auto country = in.string("country_code");
  if (country &&
      std::find(country_codes.begin(), country_codes.end(), *country) == country_codes.end()) {
    in.refuse("country_code", "must be a supported two-letter country code such as us");
  }
  in.string("region");
  in.string("city");
}

}  // namespace

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
