#include "cdp/devtools_client.h"

#include "cdp/answer.h"
#include "io/race.h"

namespace capstan {

DevToolsClient::DevToolsClient(Executor executor, Clock& clock, DevTools& devtools,
                               std::size_t queued_bytes_max)
    : executor_(executor),
      clock_(clock),
      devtools_(devtools),
      commands_(executor, queued_bytes_max) {}

Async<> DevToolsClient::live(OnEvent on_event) {
  auto ended = co_await outcome_of(talk(std::move(on_event)));
  give_up_waiting(nullptr);
  std::move(ended).take();
}

Async<> DevToolsClient::talk(OnEvent on_event) {
  std::unique_ptr<Party> party = co_await devtools_.join_browser();
  post("Target.setDiscoverTargets", {{"discover", true}});
  std::vector<Async<>> works;
  works.push_back(send_commands(party.get()));
  works.push_back(receive(party.get(), std::move(on_event)));
  works.push_back(party->expelled());
  co_await first_of(std::move(works));
}

Async<> DevToolsClient::send_commands(Party* party) {
  while (auto command = co_await commands_.pop()) {
    co_await party->send(std::move(*command));
  }
}

Async<> DevToolsClient::receive(Party* party, OnEvent on_event) {
  while (auto text = co_await party->receive()) {
    auto message = read_browsers_message(std::move(*text));
    if (!message) {
      continue;
    }
    if (auto id = integer_at(*message, "id")) {
      take_answer(*id, std::move(*message));
      continue;
    }
    std::string method = text_at(*message, "method").value_or("");
    const json::object& params = object_at(*message, "params");
    if (method == "Target.detachedFromTarget") {
      std::string session = text_at(params, "sessionId").value_or("");
      give_up_waiting(&session);
    }
    on_event(method, text_at(*message, "sessionId").value_or(""), params);
  }
}

void DevToolsClient::take_answer(std::int64_t id, json::object message) {
  auto found = waiting_.extract(id);
  if (found.empty()) {
    return;
  }
  json::value* result = message.if_contains("result");
  if (result != nullptr && result->is_object()) {
    found.mapped().on_answer(Outcome(std::move(result->get_object())));
    return;
  }
  std::string refusal =
      text_at(object_at(message, "error"), "message").value_or("the browser refuses");
  found.mapped().on_answer(Outcome<json::object>(Error(ErrorCode::unavailable, refusal)));
}

// Chromium leaves what it was asked in a session that ends without an answer.
void DevToolsClient::give_up_waiting(const std::string* session) {
  std::vector<OnAnswer> given_up;
  std::erase_if(waiting_, [&](auto& entry) {
    const bool is_given_up = session == nullptr || entry.second.session == *session;
    if (is_given_up) {
      given_up.push_back(std::move(entry.second.on_answer));
    }
    return is_given_up;
  });
  for (const OnAnswer& on_answer : given_up) {
    on_answer(Outcome<json::object>(Error(ErrorCode::unavailable, "the page has gone")));
  }
}

void DevToolsClient::post(std::string_view method, json::object params, std::string_view session,
                          OnAnswer on_answer) {
  json::object command{{"id", ++last_id_}, {"method", method}, {"params", std::move(params)}};
  if (!session.empty()) {
    command["sessionId"] = session;
  }
  if (on_answer) {
    waiting_[last_id_] = {.session = std::string(session), .on_answer = std::move(on_answer)};
  }
  std::string text = json::serialize(command);
  std::size_t bytes = text.size();
  commands_.push_now(std::move(text), bytes);
}

void DevToolsClient::attach(const std::string& target_id,
                            std::function<void(std::string)> on_session) {
  post("Target.attachToTarget", {{"targetId", target_id}, {"flatten", true}}, "",
       [on_session = std::move(on_session)](Outcome<json::object> attached) {
         auto session = attached.ok() ? text_at(attached.value(), "sessionId") : std::nullopt;
         if (session) {
           on_session(std::move(*session));
         }
       });
}

Async<json::object> DevToolsClient::ask(std::string method, json::object params,
                                        std::string session, Duration patience) {
  if (is_full()) {
    throw Error(ErrorCode::resource_exhausted, "the browser is far behind");
  }
  struct Question {
    explicit Question(const Executor& executor) : answered(executor) {}
    Event answered;
    Outcome<json::object> outcome;
  };
  auto question = std::make_shared<Question>(executor_);
  post(method, std::move(params), session, [question](Outcome<json::object> outcome) {
    question->outcome = std::move(outcome);
    question->answered.set();
  });
  const std::int64_t id = last_id_;
  auto waited = co_await outcome_of(
      within(clock_, patience, question->answered.wait(), "the page does not answer"));
  waiting_.erase(id);
  std::move(waited).take();
  co_return std::move(question->outcome).take();
}

}  // namespace capstan
