#pragma once

#include <string>
#include <vector>

#include "access/teams.h"
#include "api/call.h"
#include "base/log_budget.h"
#include "base/metrics.h"
#include "http/router.h"
#include "session/sessions.h"

namespace capstan {

// Who may use a route.
enum class Access {
  anybody,         // no key is looked for
  api_key,         // a team's key, or a run's door
  session_key,     // the same, or the token of the session that the query names
  operator_token,  // who can read the data folder of this server; never through a door
};

struct RouteRow {
  Method method;
  std::string pattern;
  Access access;
  RouteHandler handler;
};

// Every request passes here, from the main listener and from the runs' doors alike. In this order:
// is the Host ours, which route is it, who is calling and may they; then the route's handler; and
// every failure becomes AnchorBrowser's error body. Owned by App.
class Gate {
 public:
  // `hosts` are the names, besides addresses and localhost, that the server goes by: a page on
  // another name must not reach it through a visitor's browser (DNS rebinding). `operator_token`
  // opens what Access::operator_token guards.
  Gate(Teams& teams, Sessions& sessions, Clock& clock, Metrics& metrics,
       std::vector<std::string> hosts, std::string operator_token);

  void add(std::vector<RouteRow> rows);

  // From the main listener: a key says who calls.
  Async<Response> answer(Request request);
  // Through a run's door: that says it already, and a key doesn't matter. A request that a web page
  // makes (it has an Origin) is refused, because below isolation level standard pages can reach
  // doors too.
  Async<Response> answer_at_door(Request request, Caller caller);

 private:
  struct Credentials {
    std::string key;
    std::optional<SessionId> session;
    std::string token;  // of that session
  };

  Async<Response> respond(Request request, std::optional<Caller> known);
  Async<Response> dispatch(Request request, std::optional<Caller> known);
  void check_operator(const Request& request, bool is_at_door) const;
  static Credentials credentials_of(const Request& request, Access access);
  Async<Caller> identify(Credentials credentials);
  bool is_known_host(const Request& request) const;

  Teams& teams_;
  Sessions& sessions_;
  Clock& clock_;
  Metrics& metrics_;
  prometheus::Histogram& request_seconds_;
  const std::vector<std::string> hosts_;
  const std::string operator_token_;
  std::vector<RouteRow> rows_;
  Router router_;
  LogBudget door_calls_told_;  // tasks can call as often as they like
};

}  // namespace capstan
