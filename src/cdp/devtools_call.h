#pragma once

#include <optional>
#include <string>

#include "cdp/devtools.h"

namespace capstan {

// One command of ours under way. It lives in the frame of the coroutine that waits for the answer,
// and cleans up when that wait is cut short.
class DevTools::Call {
 public:
  // A command that attaches brings a session. If nobody waits for it any more it is detached, at
  // once or when the answer tells its id.
  enum class Kind { plain, attaches };

  // `route` is what the router made of the command.
  Call(DevTools& devtools, Kind kind, DevToolsRoute route);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // Throws unavailable when the browser has gone. When it returns what a command that attaches
  // brought, the DevTools is alive, and the session is the caller's to care for.
  Async<std::string> answer();

  void end_with(std::string answer);
  // The DevTools may be destroyed after this.
  void browser_gone();

 private:
  DevTools* devtools_;  // nothing once there is nothing to clean up
  Kind kind_;
  std::int32_t id_;
  std::optional<std::string> answer_;
  Event ended_;
};

}  // namespace capstan
