#include "api/live_routes.h"

#include <algorithm>

#include "api/addresses.h"
#include "base/embedded.h"
#include "session/live_relay.h"
#include "session/live_view.h"

namespace capstan {

std::vector<EmbeddedFile> embedded_live_page();

namespace {

constexpr std::size_t ticket_bytes_max = 128;

// The page may be framed anywhere: whoever has the link may show it to others. It may do nothing
// but what it is for.
Response page_response(int status, std::string_view content_type, std::string body) {
  Response response;
  response.status = status;
  response.headers = {
      {"content-type", std::string(content_type)},
      {"content-security-policy",
       "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:;"
       " connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors *"},
      {"referrer-policy", "no-referrer"},
      {"x-content-type-options", "nosniff"},
      {"cache-control", "no-store"}};
  response.body = std::move(body);
  return response;
}

std::string_view file_of_page(std::string_view name) {
  for (const EmbeddedFile& file : embedded_live_page()) {
    if (file.name == name) {
      return file.text;
    }
  }
  throw Error(ErrorCode::not_found, "there is nothing at this address");
}

// For people: a link that leads nowhere.
Response dead_end(const std::string& message) {
  std::string text = message;
  text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  return page_response(404, "text/html; charset=utf-8",
                       "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">"
                       "<meta name=\"viewport\" content=\"width=device-width\">"
                       "<title>Live view</title>"
                       "<link rel=\"stylesheet\" href=\"/live-assets/page.css\">"
                       "<main class=\"dead-end\"><h1>This link leads nowhere</h1><p>" +
                           text + ".</p></main></html>");
}

std::string recording_address(const std::string& token, const std::string& ticket) {
  return "/live/" + token + "/recording?ticket=" + ticket;
}

constexpr std::string_view scopes[] = {"live_view", "live_view_read_only", "cdp"};

}  // namespace

std::shared_ptr<Session> LiveRoutes::session_of(const Call& call) const {
  const LiveLinks::Link& link = sessions_.live_links().find(call.field("token"));
  std::shared_ptr<Session> session = sessions_.running(link.session);
  if (!session) {
    throw Error(ErrorCode::gone, "the session of this link has ended");
  }
  return session;
}

Async<Response> LiveRoutes::page(Call call) {
  auto session = outcome_of_call([&] { return session_of(call); });
  if (!session.ok() && session.error().code() != ErrorCode::gone) {
    co_return dead_end(session.error().message());
  }
  // Whoever was there when the session ended finds the recording by this page, after a reload too.
  co_return page_response(session.ok() ? 200 : 410, "text/html; charset=utf-8",
                          std::string(file_of_page("page.html")));
}

Async<Response> LiveRoutes::asset(Call call) {
  const std::string& name = call.field("name");
  bool is_script = name.ends_with(".js");
  bool is_style = name.ends_with(".css");
  if (!is_script && !is_style) {
    throw Error(ErrorCode::not_found, "there is nothing at this address");
  }
  Response response =
      page_response(200, is_script ? "text/javascript; charset=utf-8" : "text/css; charset=utf-8",
                    std::string(file_of_page(name)));
  response.headers.back().value = "no-cache";
  co_return response;
}

Async<Response> LiveRoutes::claim(Call call) {
  json::object body = call.body();
  Fields in(body);
  std::string ticket = in.string("ticket").value_or("");
  if (ticket.size() > ticket_bytes_max) {
    in.refuse("ticket", "is no ticket");
  }
  in.done();
  const std::string& token = call.field("token");
  auto seen = outcome_of_call([&] { return sessions_.live_links().seen_by(token, ticket); });
  if (seen.ok() && seen.value().ending) {
    const LiveLinks::Ending& ending = *seen.value().ending;
    json::object data{{"ended", true}, {"reason", to_text(ending.status)}};
    data["recording_url"] =
        ending.was_recorded ? json::value(recording_address(token, ticket)) : nullptr;
    co_return data_response(std::move(data));
  }
  std::shared_ptr<Session> session = session_of(call);
  const LiveRole role = sessions_.live_links().find(token).role;
  co_return data_response(json::object{{"ticket", sessions_.live_links().claim(token, ticket)},
                                       {"role", to_text(role)},
                                       {"session_id", session->id().text()}});
}

Async<Response> LiveRoutes::connect(Call call) {
  std::shared_ptr<Session> session = session_of(call);
  const std::string& token = call.field("token");
  const LiveRole role = sessions_.live_links().find(token).role;
  std::string ticket(call.request.query_value("ticket").value_or(""));
  std::shared_ptr<LiveLinks::Presence> presence = sessions_.live_links().enter(token, ticket);
  std::string recording_url = recording_address(token, ticket);
  Response response;
  response.upgrade = [session, role, presence, recording_url](std::unique_ptr<WebSocket> socket) {
    return relay_live_view(session, role, presence, recording_url, std::move(socket));
  };
  co_return response;
}

Async<Response> LiveRoutes::send_file(Call call) {
  auto query = [&](std::string_view name) {
    return std::string(call.request.query_value(name).value_or(""));
  };
  std::shared_ptr<Session> session = session_of(call);
  auto presence = sessions_.live_links().enter(call.field("token"), query("ticket"));
  if (sessions_.live_links().find(call.field("token")).role != LiveRole::control) {
    throw Error(ErrorCode::permission_denied, "this link is for viewing only");
  }
  std::unique_ptr<Session::Use> use = co_await session->use();
  if (!use->session().live_view().is_driven_by(presence->viewer())) {
    throw Error(ErrorCode::permission_denied, "files are sent by who drives");
  }
  FilePiece piece{.is_first = query("first") == "true",
                  .file = query("file"),
                  .name = query("name"),
                  .bytes = std::move(call.request.body)};
  std::string id = co_await use->session().pages().send_file(query("chooser"), std::move(piece));
  co_return data_response(json::object{{"id", id}});
}

Async<Response> LiveRoutes::create_token(Call call) {
  json::object body = call.body();
  Fields in(body);
  std::vector<std::string> wanted = in.strings("scopes").value_or(std::vector<std::string>());
  bool is_known = wanted.size() == 1 && std::find(std::begin(scopes), std::end(scopes),
                                                  wanted.front()) != std::end(scopes);
  if (!is_known) {
    in.refuse("scopes", "must be one of [\"live_view\"], [\"live_view_read_only\"], [\"cdp\"]");
  }
  in.done();
  const std::string& scope = wanted.front();
  std::shared_ptr<Session> session =
      co_await sessions_.find_running(call.caller.team, call.id<SessionId>("sessionId", "session"));
  json::object data{{"scopes", json::array{scope}}};
  if (scope == "cdp") {
    std::string token = sessions_.make_token(*session);
    data["token"] = token;
    data["cdp_url"] = devtools_address(call.request, *session, token);
    co_return data_response(std::move(data));
  }
  if (session->config().live_view_one_time_url.value_or(false)) {
    throw Error(ErrorCode::conflict, "the live view of this session is for one viewer");
  }
  std::string token = sessions_.live_links().make(
      {.session = session->id(),
       .team = session->team(),
       .role = scope == "live_view" ? LiveRole::control : LiveRole::view});
  data["token"] = token;
  data["live_view_url"] = live_view_address(call.request, token);
  co_return data_response(std::move(data));
}

Async<Response> LiveRoutes::revoke_token(Call call) {
  std::shared_ptr<Session> session =
      co_await sessions_.find_running(call.caller.team, call.id<SessionId>("sessionId", "session"));
  const std::string& token = call.field("token");
  if (!sessions_.live_links().revoke(session->id(), token) && !session->revoke_token(token)) {
    throw Error(ErrorCode::not_found, "the session has no such token");
  }
  co_return data_response(json::object{{"status", "success"}});
}

Async<Response> LiveRoutes::thumbnail(Call call) {
  std::shared_ptr<Session> session =
      co_await sessions_.find_running(call.caller.team, call.id<SessionId>("sessionId", "session"));
  if (!session->has_opened()) {
    throw Error(ErrorCode::conflict, "session " + session->id().text() + " shows nothing yet");
  }
  std::unique_ptr<Session::Use> use = co_await session->glance();
  Response response;
  response.headers = {{"content-type", "image/jpeg"}, {"cache-control", "no-store"}};
  response.body = *co_await use->session().live_view().thumbnail();
  co_return response;
}

}  // namespace capstan
