#include "api/session_routes.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <sstream>

#include "api/addresses.h"

namespace capstan {
namespace {

json::array tags_of(const SessionView& view) {
  return view.configuration.at("session").at("tags").as_array();
}

bool has_proxy(const SessionView& view) {
  const json::value* proxy = view.configuration.at("session").as_object().if_contains("proxy");
  return proxy != nullptr && proxy->at("active").as_bool();
}

json::object to_json(const SessionView& view, WallTime now) {
  auto duration = std::chrono::duration_cast<std::chrono::seconds>(view.ended_at.value_or(now) -
                                                                   view.created_at);
  json::object object{
      {"session_id", view.id.text()},
      {"team_id", view.team.text()},
      {"duration", duration.count()},
      {"status", to_text(view.status)},
      {"credits_used", 0},
      {"configuration", view.configuration},
      {"playground", false},
      {"proxy_bytes", view.accounts.proxy_bytes},
      {"limits_met", json::value_from(view.accounts.limits_met)},
      {"tokens", json::object()},
      {"steps", 0},
      {"tags", tags_of(view)},
      {"created_at", to_rfc3339(view.created_at)},
      {"task_initiated", !view.run.empty()},
  };
  if (view.expires_at) {
    object["expires_at"] = to_rfc3339(*view.expires_at);
  }
  if (view.ended_at) {
    object["ended_at"] = to_rfc3339(*view.ended_at);
    object["ended_by"] = to_text(view.status);
  }
  return object;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  std::istringstream stream{std::string(text)};
  for (std::string part; std::getline(stream, part, ',');) {
    parts.push_back(std::move(part));
  }
  return parts;
}

// A date, or a date with a time in UTC: 2026-11-24, 2026-11-24T09:30:00Z.
WallTime read_time(std::string_view name, std::string_view text) {
  std::tm parts{};
  std::string copy(text);
  const char* end = ::strptime(copy.c_str(), "%Y-%m-%d", &parts);
  if (end != nullptr && *end == 'T') {
    end = ::strptime(end, "T%H:%M:%S", &parts);
    if (end != nullptr && *end == '.') {
      end += 1 + std::string_view(end + 1).find_first_not_of("0123456789");
    }
    end = end != nullptr && *end == 'Z' ? end + 1 : nullptr;
  }
  if (end == nullptr || *end != '\0') {
    throw Error(ErrorCode::invalid_argument,
                std::string(name) + " must be a date such as 2026-11-24 or 2026-11-24T09:30:00Z");
  }
  return WallTime(std::chrono::seconds(::timegm(&parts)));
}

bool read_flag(std::string_view name, std::string_view text) {
  if (text != "true" && text != "false") {
    throw Error(ErrorCode::invalid_argument, std::string(name) + " must be true or false");
  }
  return text == "true";
}

// The filters of all/status, as far as sessions here have what they ask for. Sessions have no
// batches, domains, profiles or playground, so what asks for one finds nothing.
class StatusFilter {
 public:
  explicit StatusFilter(const Request& request) {
    for (const auto& [name, value] : request.query) {
      if (name == "tags") {
        tags_ = split(value);
      } else if (name == "created_from") {
        from_ = read_time(name, value);
      } else if (name == "created_to") {
        to_ = read_time(name, value);
      } else if (name == "task_initiated") {
        task_initiated_ = read_flag(name, value);
      } else if (name == "proxy") {
        has_proxy_ = read_flag(name, value);
      } else if (name == "playground" || name == "extra_stealth") {
        matches_nothing_ = matches_nothing_ || read_flag(name, value);
      } else if (name == "domains" || name == "batch_id" || name == "profile_name") {
        matches_nothing_ = true;
      }
    }
  }

  bool admits(const SessionView& view) const {
    json::array tags = tags_of(view);
    bool has_tag = tags_.empty() || std::any_of(tags.begin(), tags.end(), [&](const auto& tag) {
                     return std::find(tags_.begin(), tags_.end(), tag.as_string()) != tags_.end();
                   });
    return !matches_nothing_ && has_tag && (!from_ || view.created_at >= *from_) &&
           (!to_ || view.created_at <= *to_) &&
           (!task_initiated_ || *task_initiated_ == !view.run.empty()) &&
           (!has_proxy_ || *has_proxy_ == has_proxy(view));
  }

 private:
  std::vector<std::string> tags_;
  std::optional<WallTime> from_;
  std::optional<WallTime> to_;
  std::optional<bool> task_initiated_;
  std::optional<bool> has_proxy_;
  bool matches_nothing_ = false;
};

// Fields that AnchorBrowser knows and that do nothing here yet; someone may count on them.
constexpr std::pair<std::string_view, std::string_view> fields_without_effect[] = {
    {"browser", "adblock"},    {"browser", "captcha_solver"}, {"browser", "disable_web_security"},
    {"browser", "extensions"}, {"browser", "extra_stealth"},  {"browser", "force_popups_as_tabs"},
    {"browser", "fullscreen"}, {"browser", "p2p_download"},   {"browser", "popup_blocker"},
    {"browser", "profile"},    {"browser", "web_bot_auth"},   {"", "integrations"},
    {"", "identities"}};

json::array warnings_for(const Sessions& sessions, const Session& session,
                         const json::object& body) {
  json::array warnings;
  auto screen_trouble = sessions.screen_trouble();
  if (session.kind() == BrowserKind::headful && screen_trouble) {
    warnings.emplace_back("the browser runs without showing its window: " + *screen_trouble);
  }
  auto recording_trouble = sessions.recording_trouble();
  if (session.config().recording.value_or(true) && recording_trouble) {
    warnings.emplace_back("the session is not recorded: " + *recording_trouble);
  }
  for (const auto& [section, field] : fields_without_effect) {
    const json::value* inner = section.empty() ? nullptr : body.if_contains(section);
    const json::object* object = section.empty()    ? &body
                                 : inner != nullptr ? inner->if_object()
                                                    : nullptr;
    if (object != nullptr && object->contains(field)) {
      warnings.emplace_back(std::string(section) + (section.empty() ? "" : ".") +
                            std::string(field) + " has no effect yet");
    }
  }
  return warnings;
}

// The client side of DevTools that every Chrome brings along, opened on one page of the session.
std::string inspector_address(const Request& request, const Session& session,
                              const std::string& target) {
  return "devtools://devtools/bundled/inspector.html?ws=" + host_of(request) + "/devtools/page/" +
         target + "%3FsessionId=" + session.id().text() + "%26token=" + session.token();
}

}  // namespace

SessionOrder make_session_order(const Caller& caller, const SessionConfig& own,
                                const Sessions& sessions, const Runs& runs) {
  SessionConfig config = caller.run.empty() ? own : overlay(runs.configuration_of(caller.run), own);
  BrowserKind kind = sessions.kind_for(config);
  return {.team = caller.team, .config = std::move(config), .kind = kind, .run = caller.run};
}

Async<Response> SessionRoutes::create(Call call) {
  json::object body = call.body();
  Fields in(body);
  SessionConfig config =
      overlay(read_session_config(in.nested("session"), sealing_for(call.caller.team, sealer_)),
              read_browser_config(in.nested("browser")));
  in.done();
  if (call.caller.run.empty() && runs_.is_closing()) {
    throw Error(ErrorCode::unavailable, "the server is shutting down");
  }
  std::shared_ptr<Session> session =
      co_await sessions_.open(make_session_order(call.caller, config, sessions_, runs_));
  json::object data{
      {"id", session->id().text()},
      {"cdp_url", devtools_address(call.request, *session, session->token())},
      {"live_view_url", live_view_address(call.request, sessions_.make_live_link(*session))},
  };
  if (json::array warnings = warnings_for(sessions_, *session, body); !warnings.empty()) {
    data["warnings"] = std::move(warnings);
  }
  co_return data_response(std::move(data));
}

Async<Response> SessionRoutes::retrieve(Call call) {
  auto view = co_await sessions_.view(call.caller.team, call.id<SessionId>("sessionId", "session"));
  co_return data_response(to_json(view, clock_.wall_now()));
}

Async<Response> SessionRoutes::end(Call call) {
  SessionId id = call.id<SessionId>("sessionId", "session");
  co_await sessions_.end(call.caller.team, id);
  co_return data_response(json::object{{"status", "success"}});
}

Async<Response> SessionRoutes::end_all(Call call) {
  co_await sessions_.end_all(call.caller.team);
  co_return data_response(json::object{{"status", "success"}});
}

Async<Response> SessionRoutes::all_status(Call call) {
  StatusFilter filter(call.request);
  json::array items;
  for (const SessionView& view : sessions_.running_of(call.caller.team)) {
    if (filter.admits(view)) {
      items.push_back(json::object{{"session_id", view.id.text()},
                                   {"status", to_text(view.status)},
                                   {"tags", tags_of(view)},
                                   {"created_at", to_rfc3339(view.created_at)}});
    }
  }
  std::size_t count = items.size();
  co_return data_response(json::object{{"count", count}, {"items", std::move(items)}});
}

Async<Response> SessionRoutes::pages(Call call) {
  auto session =
      co_await sessions_.find_running(call.caller.team, call.id<SessionId>("sessionId", "session"));
  auto use = co_await session->use();
  json::array items;
  for (const PageInfo& page : co_await use->browser().pages()) {
    items.push_back(
        json::object{{"id", page.target_id},
                     {"title", page.title},
                     {"url", page.url},
                     {"frontend_url", inspector_address(call.request, *session, page.target_id)}});
  }
  co_return data_response(json::object{{"items", std::move(items)}});
}

}  // namespace capstan
