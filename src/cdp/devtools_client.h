#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "cdp/devtools.h"

namespace capstan {

// A client of our own at a whole browser, beside those who came from outside: for one who posts
// commands without waiting, and hears every message. Its owner runs live() in a scope, and ends
// that before destroying it. The DevTools outlives it.
class DevToolsClient {
 public:
  DevToolsClient(Executor executor, DevTools& devtools, std::size_t queued_bytes_max);

  // Joins the browser, asks to be told of its targets, sends what was posted, and hands each
  // message to `on_message`, until the browser has gone or the client was put out for being slow.
  // What was posted before waits for it. Throws what join_browser() throws.
  Async<> live(std::function<void(const json::object&)> on_message);

  // Sends a command, at the root or in a session that another command attached, and returns its id.
  std::int64_t post(std::string_view method, json::object params, std::string_view session = {});
  // Whether more is waiting to be sent than may be. Who posts all the same is not refused.
  bool is_full() const { return commands_.is_full(); }

 private:
  Async<> send_commands(Party* party);
  Async<> receive(Party* party, std::function<void(const json::object&)> on_message);

  DevTools& devtools_;
  Channel<std::string> commands_;
  std::int64_t last_id_ = 0;
};

}  // namespace capstan
