#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "browser/launch_flags.h"
#include "session/proxy_config.h"

namespace capstan {

// What was asked of a session; what is not given stays empty, so that one configuration can be
// laid over another. The fields are AnchorBrowser's SessionConfig (spec/run-task-by-name) and
// those of its BrowserConfig that are built.
struct SessionConfig {
  std::optional<std::string> initial_url;
  std::optional<std::vector<std::string>> tags;
  std::optional<bool> recording;
  std::optional<ProxyConfig> proxy;              // laid over another as a whole
  std::optional<std::int64_t> max_duration_min;  // -1: no limit
  std::optional<std::int64_t> idle_timeout_min;  // -1: no limit
  std::optional<bool> live_view_read_only;
  std::optional<bool> live_view_one_time_url;
  std::optional<bool> headless;
  std::optional<Viewport> viewport;
};

// Reads and checks the fields of a SessionConfig; problems are noted in `in`. `headless` and
// `viewport` are accepted here too, because a task's configuration has no other place for them.
SessionConfig read_session_config(Fields in, const TakePassword& take_password);
// The same for the part of a BrowserConfig that is built; unknown fields are left alone.
SessionConfig read_browser_config(Fields in);
// What can only be said of a whole configuration, on a server with these exits. Throws
// invalid_argument.
void check_session_config(const SessionConfig& config, const Exits& exits);

// `over` laid over `base`, field by field.
SessionConfig overlay(SessionConfig base, const SessionConfig& over);

// Only what was given, in the shape that read_session_config takes, but never with a password.
json::object to_json(const SessionConfig& config);
// The same for a row: with the password, sealed; and back.
json::object to_stored_json(const SessionConfig& config);
SessionConfig from_stored_json(const json::object& stored);
// Everything, with defaults, in the shape of a create request: {"session":...,"browser":...}.
json::object to_full_json(const SessionConfig& config, BrowserKind kind);

inline constexpr std::int64_t default_max_duration_min = 20;
inline constexpr std::int64_t default_idle_timeout_min = 5;

}  // namespace capstan
