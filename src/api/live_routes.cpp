#include "api/live_routes.h"

#include "base/embedded.h"
#include "session/live_relay.h"

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
Response dead_end(int status, const std::string& message) {
  std::string text = message;
  text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  return page_response(status, "text/html; charset=utf-8",
                       "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">"
                       "<meta name=\"viewport\" content=\"width=device-width\">"
                       "<title>Live view</title>"
                       "<link rel=\"stylesheet\" href=\"/live-assets/page.css\">"
                       "<main class=\"dead-end\"><h1>This link leads nowhere</h1><p>" +
                           text + ".</p></main></html>");
}

struct TokenScope {
  std::string_view name;
  LiveRole role;
};
constexpr TokenScope scopes[] = {{"live_view", LiveRole::control},
                                 {"live_view_read_only", LiveRole::view}};

}  // namespace

std::string live_view_address(const Request& request, std::string_view token) {
  return "http://" + host_of(request) + "/live/" + std::string(token);
}

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
  if (!session.ok()) {
    int status = session.error().code() == ErrorCode::gone ? 410 : 404;
    co_return dead_end(status, session.error().message());
  }
  co_return page_response(200, "text/html; charset=utf-8", std::string(file_of_page("page.html")));
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
  std::shared_ptr<Session> session = session_of(call);
  const std::string& token = call.field("token");
  const LiveRole role = sessions_.live_links().find(token).role;
  co_return data_response(json::object{{"ticket", sessions_.live_links().claim(token, ticket)},
                                       {"role", to_text(role)},
                                       {"session_id", session->id().text()}});
}

Async<Response> LiveRoutes::connect(Call call) {
  std::shared_ptr<Session> session = session_of(call);
  const std::string& token = call.field("token");
  const LiveRole role = sessions_.live_links().find(token).role;
  std::shared_ptr<LiveLinks::Presence> presence = sessions_.live_links().enter(
      token, call.request.query_value("ticket").value_or("").substr(0, ticket_bytes_max));
  Response response;
  response.upgrade = [session, role, presence](std::unique_ptr<WebSocket> socket) {
    return relay_live_view(session, role, presence, std::move(socket));
  };
  co_return response;
}

Async<Response> LiveRoutes::create_token(Call call) {
  json::object body = call.body();
  Fields in(body);
  std::vector<std::string> wanted = in.strings("scopes").value_or(std::vector<std::string>());
  const TokenScope* scope = nullptr;
  bool wants_devtools = false;
  for (const std::string& name : wanted) {
    wants_devtools = wants_devtools || name == "cdp";
    for (const TokenScope& known : scopes) {
      scope = name == known.name ? &known : scope;
    }
  }
  if (wanted.size() != 1 || (scope == nullptr && !wants_devtools)) {
    in.refuse("scopes", "must be one of [\"live_view\"], [\"live_view_read_only\"], [\"cdp\"]");
  }
  in.done();
  std::shared_ptr<Session> session =
      co_await sessions_.find_running(call.caller.team, call.id<SessionId>("sessionId", "session"));
  if (wants_devtools) {
    throw Error(ErrorCode::not_implemented, "tokens for cdp are not there yet");
  }
  if (session->config().live_view_one_time_url.value_or(false)) {
    throw Error(ErrorCode::conflict, "the live view of this session is for one viewer");
  }
  std::string token = sessions_.live_links().make(session->id(), scope->role, false);
  co_return data_response(json::object{{"token", token},
                                       {"scopes", json::array{scope->name}},
                                       {"live_view_url", live_view_address(call.request, token)}});
}

Async<Response> LiveRoutes::revoke_token(Call call) {
  std::shared_ptr<Session> session =
      co_await sessions_.find_running(call.caller.team, call.id<SessionId>("sessionId", "session"));
  if (!sessions_.live_links().revoke(session->id(), call.field("token"))) {
    throw Error(ErrorCode::not_found, "the session has no such token");
  }
  co_return data_response(json::object{{"status", "success"}});
}

}  // namespace capstan
