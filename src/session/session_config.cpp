#include "session/session_config.h"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "base/take_over.h"

namespace capstan {
namespace {

constexpr std::int64_t minutes_max = 7 * 24 * 60;
constexpr std::size_t url_bytes_max = 8192;
constexpr std::size_t tags_max = 50;
constexpr std::size_t tag_bytes_max = 255;
constexpr std::int64_t side_min = 100;
constexpr std::int64_t width_max = 7680;
constexpr std::int64_t height_max = 4320;

// Files, scripts, data and the browser's own pages are not for a caller to open.
std::optional<std::string> url_problem(const std::string& text) {
  if (text.size() > url_bytes_max) {
    return "must not be longer than " + std::to_string(url_bytes_max) + " bytes";
  }
  if (text == "about:blank") {
    return std::nullopt;
  }
  auto url = boost::urls::parse_uri(text);
  if (!url) {
    return "must be a URL such as https://example.com/";
  }
  if (url->scheme() != "http" && url->scheme() != "https") {
    return "must begin with http:// or https://";
  }
  if (url->host().empty()) {
    return "must name a host";
  }
  std::string_view port(url->port().data(), url->port().size());
  if (!port.empty() && !is_port(port)) {
    return "must name a port from 1 to 65535";
  }
  if (url->has_userinfo()) {
    return "must not hold a user name or password";
  }
  return std::nullopt;
}

std::optional<std::int64_t> read_minutes(Fields& in, std::string_view name) {
  auto minutes = in.integer(name);
  if (minutes && *minutes != -1 && (*minutes < 1 || *minutes > minutes_max)) {
    in.refuse(name,
              "must be -1 (no limit) or from 1 to " + std::to_string(minutes_max) + " minutes");
  }
  return minutes;
}

std::optional<std::vector<std::string>> read_tags(Fields& in) {
  auto tags = in.strings("tags");
  if (!tags) {
    return tags;
  }
  if (tags->size() > tags_max) {
    in.refuse("tags", "must not be more than " + std::to_string(tags_max));
  }
  for (const std::string& tag : *tags) {
    if (tag.empty() || tag.size() > tag_bytes_max) {
      in.refuse("tags", "must each have 1 to " + std::to_string(tag_bytes_max) + " bytes");
      break;
    }
  }
  return tags;
}

std::optional<Viewport> read_viewport(Fields& in) {
  if (in.object("viewport") == nullptr) {
    return std::nullopt;
  }
  Fields viewport = in.nested("viewport");
  std::int64_t width = viewport.integer("width").value_or(Viewport().width);
  std::int64_t height = viewport.integer("height").value_or(Viewport().height);
  if (width < side_min || width > width_max) {
    viewport.refuse("width", "must be from 100 to 7680");
  }
  if (height < side_min || height > height_max) {
    viewport.refuse("height", "must be from 100 to 4320");
  }
  return Viewport{static_cast<int>(std::clamp(width, side_min, width_max)),
                  static_cast<int>(std::clamp(height, side_min, height_max))};
}

template <class T>
void put(json::object& object, std::string_view name, const std::optional<T>& value) {
  if (value) {
    object[name] = json::value_from(*value);
  }
}

void put_nested(json::object& object, std::string_view name, json::object inner) {
  if (!inner.empty()) {
    object[name] = std::move(inner);
  }
}

json::object to_json(const Viewport& viewport) {
  return {{"width", viewport.width}, {"height", viewport.height}};
}

}  // namespace

SessionConfig read_browser_config(Fields in) {
  SessionConfig config;
  config.headless = in.nested("headless").boolean("active");
  config.viewport = read_viewport(in);
  return config;
}

SessionConfig read_session_config(Fields in, const TakePassword& take_password) {
  SessionConfig config = read_browser_config(in);
  config.initial_url = in.string("initial_url");
  if (config.initial_url) {
    if (auto problem = url_problem(*config.initial_url)) {
      in.refuse("initial_url", *problem);
    }
  }
  config.tags = read_tags(in);
  config.recording = in.nested("recording").boolean("active");
  if (in.object("proxy") != nullptr) {
    config.proxy = read_proxy_config(in.nested("proxy"), take_password);
  }
  Fields timeout = in.nested("timeout");
  config.max_duration_min = read_minutes(timeout, "max_duration");
  config.idle_timeout_min = read_minutes(timeout, "idle_timeout");
  Fields live_view = in.nested("live_view");
  config.live_view_read_only = live_view.boolean("read_only");
  config.live_view_one_time_url = live_view.boolean("one_time_url");
  return config;
}

void check_session_config(const SessionConfig& config, const Exits& exits) {
  if (config.live_view_one_time_url.value_or(false) && config.headless.value_or(false)) {
    throw Error(ErrorCode::invalid_argument,
                "live_view.one_time_url needs a headful browser; leave out headless");
  }
  if (config.proxy) {
    check_proxy_config(*config.proxy, exits);
  }
}

SessionConfig overlay(SessionConfig base, const SessionConfig& over) {
  take_over(base.initial_url, over.initial_url);
  take_over(base.tags, over.tags);
  take_over(base.recording, over.recording);
  take_over(base.proxy, over.proxy);
  take_over(base.max_duration_min, over.max_duration_min);
  take_over(base.idle_timeout_min, over.idle_timeout_min);
  take_over(base.live_view_read_only, over.live_view_read_only);
  take_over(base.live_view_one_time_url, over.live_view_one_time_url);
  take_over(base.headless, over.headless);
  take_over(base.viewport, over.viewport);
  return base;
}

json::object to_json(const SessionConfig& config) {
  json::object object;
  put(object, "initial_url", config.initial_url);
  put(object, "tags", config.tags);
  json::object recording;
  put(recording, "active", config.recording);
  put_nested(object, "recording", std::move(recording));
  if (config.proxy) {
    object["proxy"] = to_json(*config.proxy);
  }
  json::object timeout;
  put(timeout, "max_duration", config.max_duration_min);
  put(timeout, "idle_timeout", config.idle_timeout_min);
  put_nested(object, "timeout", std::move(timeout));
  json::object live_view;
  put(live_view, "read_only", config.live_view_read_only);
  put(live_view, "one_time_url", config.live_view_one_time_url);
  put_nested(object, "live_view", std::move(live_view));
  json::object headless;
  put(headless, "active", config.headless);
  put_nested(object, "headless", std::move(headless));
  if (config.viewport) {
    object["viewport"] = to_json(*config.viewport);
  }
  return object;
}

json::object to_stored_json(const SessionConfig& config) {
  json::object object = to_json(config);
  if (config.proxy) {
    object["proxy"] = to_stored_json(*config.proxy);
  }
  return object;
}

// What was good when it was stored is taken as it stands, whatever the limits are by now.
SessionConfig from_stored_json(const json::object& stored) {
  return read_session_config(Fields(stored), already_sealed);
}

json::object to_full_json(const SessionConfig& config, BrowserKind kind) {
  SessionConfig defaults;
  defaults.tags.emplace();
  defaults.recording = true;
  defaults.max_duration_min = default_max_duration_min;
  defaults.idle_timeout_min = default_idle_timeout_min;
  defaults.live_view_read_only = false;
  defaults.live_view_one_time_url = false;
  json::object session = to_json(overlay(std::move(defaults), config));
  session.erase("headless");
  session.erase("viewport");
  json::object browser{
      {"headless", json::object{{"active", kind == BrowserKind::headless}}},
      {"viewport", to_json(config.viewport.value_or(Viewport()))},
  };
  return {{"session", std::move(session)}, {"browser", std::move(browser)}};
}

}  // namespace capstan
