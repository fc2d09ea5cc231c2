#include "api/gate.h"

#include <algorithm>

#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "io/outcome.h"

namespace capstan {
namespace {

int to_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
      return 400;
    case ErrorCode::unauthenticated:
      return 401;
    case ErrorCode::permission_denied:
      return 403;
    case ErrorCode::not_found:
      return 404;
    case ErrorCode::conflict:
      return 409;
    case ErrorCode::gone:
      return 410;
    case ErrorCode::unsupported_media_type:
      return 415;
    case ErrorCode::unprocessable:
      return 422;
    case ErrorCode::resource_exhausted:
      return 429;
    case ErrorCode::not_implemented:
      return 501;
    case ErrorCode::deadline_exceeded:
    case ErrorCode::unavailable:
    case ErrorCode::cancelled:
      return 503;
    case ErrorCode::internal:
      return 500;
  }
  return 500;
}

Response to_response(const Error& error) {
  int status = to_status(error.code());
  Response response = error_response(status, error.message());
  if (status == 503 || status == 429 || error.retry_after()) {
    auto wait = error.retry_after().value_or(std::chrono::seconds(5));
    response.headers.push_back({"retry-after", std::to_string(wait.count())});
  }
  return response;
}

bool is_address(std::string_view host) {
  return host.starts_with('[') || host.find_first_not_of("0123456789.") == std::string_view::npos;
}

std::string_view without_port(std::string_view host) {
  std::size_t colon = host.rfind(':');
  bool is_port = colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos;
  return is_port ? host.substr(0, colon) : host;
}

Response wrong_method(const Router::WrongMethod& wrong) {
  std::string allow;
  for (Method method : wrong.allowed) {
    allow += (allow.empty() ? "" : ", ") + std::string(to_text(method));
  }
  Response response = error_response(405, "this address takes " + allow);
  response.headers.push_back({"allow", std::move(allow)});
  return response;
}

// Whether a page sent it that this server has not served. Programs send no Origin; DevTools, which
// is a page of the browser itself, has one that is no web address.
bool is_from_another_site(const Request& request) {
  auto origin = request.header("origin");
  if (!origin || origin->starts_with("devtools://")) {
    return false;
  }
  std::size_t scheme_end = origin->find("://");
  std::string_view host =
      scheme_end == std::string_view::npos ? "" : origin->substr(scheme_end + 3);
  return host.empty() || !equal_ignoring_case(host, request.header("host").value_or(""));
}

// A path as the log may have it; a query, which may hold a key, isn't in it. A link to a live view
// is a secret.
std::string path_for_log(const std::string& path) {
  constexpr std::string_view live = "/live/";
  constexpr std::string_view tokens = "/tokens/";
  std::size_t secret = path.starts_with(live)                   ? live.size()
                       : path.find(tokens) != std::string::npos ? path.find(tokens) + tokens.size()
                                                                : std::string::npos;
  if (secret == std::string::npos || secret >= path.size()) {
    return path;
  }
  std::size_t end = path.find('/', secret);
  return path.substr(0, secret) + "..." + (end == std::string::npos ? "" : path.substr(end));
}

// Of two keys nobody can tell which is meant.
bool gives_two_keys(const Request& request) {
  return std::count_if(request.headers.begin(), request.headers.end(), [](const Header& header) {
           return equal_ignoring_case(header.name, "anchor-api-key");
         }) > 1;
}

std::string key_in_headers(const Request& request) {
  if (gives_two_keys(request)) {
    throw Error(ErrorCode::unauthenticated, "anchor-api-key is there twice; send one key");
  }
  if (auto key = request.header("anchor-api-key")) {
    return std::string(*key);
  }
  constexpr std::string_view scheme = "Bearer ";
  auto authorization = request.header("authorization").value_or("");
  if (equal_ignoring_case(authorization.substr(0, scheme.size()), scheme)) {
    return std::string(authorization.substr(scheme.size()));
  }
  return {};
}

Error bad_key() {
  return Error(ErrorCode::unauthenticated,
               "the API key is missing or not valid; send it in the header anchor-api-key");
}

Error bad_token() {
  return Error(ErrorCode::unauthenticated,
               "the session has ended, or this is not its token; open a new session");
}

constexpr std::size_t door_calls_told_per_minute_max = 600;

Caller nobody() { return {TeamId::trusted(""), ""}; }

}  // namespace

Gate::Gate(Teams& teams, Sessions& sessions, Clock& clock, Metrics& metrics,
           std::vector<std::string> hosts, std::string operator_token)
    : teams_(teams),
      sessions_(sessions),
      clock_(clock),
      metrics_(metrics),
      request_seconds_(metrics.seconds("capstan_http_request_seconds",
                                       "Time from a request's arrival to its answer.")),
      hosts_(std::move(hosts)),
      operator_token_(std::move(operator_token)),
      door_calls_told_(door_calls_told_per_minute_max) {}

void Gate::add(std::vector<RouteRow> rows) {
  for (RouteRow& row : rows) {
    router_.add(row.method, row.pattern, rows_.size());
    rows_.push_back(std::move(row));
  }
}

Async<Response> Gate::answer(Request request) { return respond(std::move(request), std::nullopt); }

Async<Response> Gate::answer_at_door(Request request, Caller caller) {
  return respond(std::move(request), std::move(caller));
}

Async<Response> Gate::respond(Request request, std::optional<Caller> known) {
  SteadyTime begin = clock_.now();
  std::string id = request.id;
  std::string path = path_for_log(request.path);
  std::string_view method = to_text(request.method);
  bool is_at_door = known.has_value();
  auto outcome = co_await outcome_of(dispatch(std::move(request), std::move(known)));
  if (!outcome.ok() && outcome.error().code() == ErrorCode::internal) {
    log_error("request_failed", {{"request", id},
                                 {"message", outcome.error().message()},
                                 {"cause", outcome.error().cause()}});
  }
  Response response = outcome.ok() ? std::move(outcome).take() : to_response(outcome.error());
  std::chrono::duration<double> took = clock_.now() - begin;
  request_seconds_.Observe(took.count());
  metrics_
      .counter("capstan_http_requests_total", "Requests by status of their answer.",
               {{"status", std::to_string(response.status)}})
      .Increment();
  if (!is_at_door || door_calls_told_.may_tell(clock_.now())) {
    log_info("request_answered",
             {{"request", id},
              {"method", method},
              {"path", path},
              {"status", response.status},
              {"after_ms", took.count() * 1000},
              {"untold", is_at_door ? door_calls_told_.take_untold() : std::nullopt}});
  }
  co_return response;
}

Async<Response> Gate::dispatch(Request request, std::optional<Caller> known) {
  if (!is_known_host(request)) {
    co_return error_response(421, "this server does not go by that Host; name it in server.hosts");
  }
  if (known && request.header("origin")) {
    co_return error_response(403, "a page can't speak for a task");
  }
  if (is_from_another_site(request)) {
    co_return error_response(403, "a page of another site can't speak to this server");
  }
  auto found = router_.match(request.method, request.path);
  if (std::holds_alternative<Router::Nothing>(found)) {
    co_return error_response(404, "there is nothing at this address");
  }
  if (const auto* wrong = std::get_if<Router::WrongMethod>(&found)) {
    co_return wrong_method(*wrong);
  }
  auto& match = std::get<Router::Match>(found);
  const RouteRow& row = rows_[match.route];
  if (row.access == Access::operator_token) {
    check_operator(request, known.has_value());
  } else if (!known && row.access != Access::anybody) {
    known = co_await identify(credentials_of(request, row.access));
  }
  co_return co_await row.handler({.request = std::move(request),
                                  .caller = std::move(known).value_or(nobody()),
                                  .fields = std::move(match.fields)});
}

void Gate::check_operator(const Request& request, bool is_at_door) const {
  auto token = request.header("capstan-operator-token").value_or("");
  if (is_at_door || !equal_in_constant_time(token, operator_token_)) {
    throw Error(ErrorCode::unauthenticated,
                "this is for the operator, whose token is in operator.json of the data folder");
  }
}

// A key in a header wins over what the query holds. Only a WebSocket's address may carry one,
// because a browser's WebSocket can't send headers.
Gate::Credentials Gate::credentials_of(const Request& request, Access access) {
  Credentials credentials{.key = key_in_headers(request), .session = {}, .token = {}};
  if (access == Access::session_key && credentials.key.empty()) {
    credentials.key = request.query_value("apiKey").value_or("");
    credentials.session = SessionId::parse(request.query_value("sessionId").value_or(""));
    credentials.token = request.query_value("token").value_or("");
  }
  return credentials;
}

Async<Caller> Gate::identify(Credentials credentials) {
  if (credentials.session && !credentials.token.empty()) {
    if (auto session = sessions_.by_token(*credentials.session, credentials.token)) {
      co_return Caller{session->team(), ""};
    }
  }
  if (!credentials.key.empty()) {
    if (auto team = co_await teams_.team_of(std::move(credentials.key))) {
      co_return Caller{std::move(*team), ""};
    }
  }
  throw credentials.token.empty() ? bad_key() : bad_token();
}

bool Gate::is_known_host(const Request& request) const {
  auto header = request.header("host");
  if (!header) {
    return true;  // HTTP/1.0, which no browser speaks
  }
  std::string_view host = without_port(*header);
  return is_address(host) || equal_ignoring_case(host, "localhost") ||
         std::any_of(hosts_.begin(), hosts_.end(),
                     [&](const std::string& own) { return equal_ignoring_case(host, own); });
}

}  // namespace capstan
