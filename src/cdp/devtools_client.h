#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "cdp/devtools.h"
#include "io/outcome.h"

namespace capstan {

// A client of our own at a whole browser, beside those who came from outside: it hears every
// event, and need not wait for answers. Its owner runs live() in a scope, and ends that, and who
// asks, before destroying it. The DevTools and the clock outlive it.
class DevToolsClient {
 public:
  using OnEvent = std::function<void(std::string_view method, const std::string& session,
                                     const json::object& params)>;
  // What came of a command: its result, or unavailable with what was against it.
  using OnAnswer = std::function<void(Outcome<json::object>)>;

  DevToolsClient(Executor executor, Clock& clock, DevTools& devtools, std::size_t queued_bytes_max);

  // Joins the browser, asks to be told of its targets, sends what was posted, and hands each event
  // to `on_event`, until the browser has gone or the client was put out for being slow. What was
  // posted before waits for it. Throws what join_browser() throws.
  Async<> live(OnEvent on_event);

  // Sends a command, at the root or in a session that another command attached. `on_answer` is
  // called once, at the latest when the session or live() ends.
  void post(std::string_view method, json::object params, std::string_view session = {},
            OnAnswer on_answer = nullptr);
  // Attaches to a target, and hands on the session if that could be done.
  void attach(const std::string& target_id, std::function<void(std::string session)> on_session);
  // Whether more is waiting to be sent than may be. Who posts all the same is not refused.
  bool is_full() const { return commands_.is_full(); }

  // Sends a command and waits for its result. Throws unavailable with what was against it,
  // deadline_exceeded if none comes in time, and resource_exhausted at once if is_full().
  Async<json::object> ask(std::string method, json::object params, std::string session,
                          Duration patience);

 private:
  struct Waiting {
    std::string session;
    OnAnswer on_answer;
  };

  Async<> talk(OnEvent on_event);
  Async<> send_commands(Party* party);
  Async<> receive(Party* party, OnEvent on_event);
  void take_answer(std::int64_t id, json::object message);
  // Of a session, or all.
  void give_up_waiting(const std::string* session);

  Executor executor_;
  Clock& clock_;
  DevTools& devtools_;
  Channel<std::string> commands_;
  std::int64_t last_id_ = 0;
  std::map<std::int64_t, Waiting> waiting_;  // for an answer, by the command's id
};

}  // namespace capstan
