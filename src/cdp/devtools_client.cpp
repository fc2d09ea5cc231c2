#include "cdp/devtools_client.h"

#include "cdp/answer.h"
#include "io/race.h"

namespace capstan {

DevToolsClient::DevToolsClient(Executor executor, DevTools& devtools, std::size_t queued_bytes_max)
    : devtools_(devtools), commands_(executor, queued_bytes_max) {}

Async<> DevToolsClient::live(std::function<void(const json::object&)> on_message) {
  std::unique_ptr<Party> party = co_await devtools_.join_browser();
  post("Target.setDiscoverTargets", {{"discover", true}});
  std::vector<Async<>> works;
  works.push_back(send_commands(party.get()));
  works.push_back(receive(party.get(), std::move(on_message)));
  works.push_back(party->expelled());
  co_await first_of(std::move(works));
}

Async<> DevToolsClient::send_commands(Party* party) {
  while (auto command = co_await commands_.pop()) {
    co_await party->send(std::move(*command));
  }
}

Async<> DevToolsClient::receive(Party* party, std::function<void(const json::object&)> on_message) {
  while (auto text = co_await party->receive()) {
    if (auto message = read_browsers_message(std::move(*text))) {
      on_message(*message);
    }
  }
}

std::int64_t DevToolsClient::post(std::string_view method, json::object params,
                                  std::string_view session) {
  json::object command{{"id", ++last_id_}, {"method", method}, {"params", std::move(params)}};
  if (!session.empty()) {
    command["sessionId"] = session;
  }
  std::string text = json::serialize(command);
  std::size_t bytes = text.size();
  commands_.push_now(std::move(text), bytes);
  return last_id_;
}

}  // namespace capstan
