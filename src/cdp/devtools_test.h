#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cdp/devtools.h"
#include "io/line_reader.h"
#include "io/loop_test.h"
#include "io/scope.h"

namespace capstan {

// The ground under the tests of DevTools: a real pipe each way, and at its other end a Chromium
// that the test plays. Either the test speaks every message itself, or play() answers like
// Chromium does. A test ends with `co_await close()`.
class DevToolsTest : public LoopTest {
 protected:
  DevToolsTest();

  // Makes the DevTools; open() starts its life too.
  void make(DevToolsLimits limits = {});
  void open(DevToolsLimits limits = {});
  // Ends what is still running.
  Async<> close();
  // How the life ended; to be asked once it has.
  const Outcome<void>& ending() const { return *ending_; }
  bool has_ended() const { return ending_.has_value(); }

  // The browser's side, message by message.
  Async<std::string> hear();
  Async<> say(std::string message);
  Async<> say_bytes(std::string bytes);
  void hang_up();
  void stop_listening();

  // Answers what is asked until the pipe ends: attaches and detaches sessions ("S1", "S2", ...)
  // with their events, knows the one target "page", and sends every other command's method and
  // session back as its result, but for "Test.silent", which has no answer. `Test.*` and `Page.*`
  // are kept in `heard_` as they came.
  Async<> play();
  std::vector<std::string> heard_;

  // A party whose session was attached by play().
  Async<std::unique_ptr<Party>> join() { return devtools_->join_browser(); }

  static constexpr std::size_t messages_bytes_max = std::size_t{12} << 20;
  DevToolsAccounts accounts_{.arriving = ByteBudget(messages_bytes_max),
                             .waiting = ByteBudget(messages_bytes_max)};
  Scope scope_;
  std::optional<DevTools> devtools_;

 private:
  Async<> live();
  std::vector<std::string> answers_to(const DevToolsMessage& command);
  std::string attach(const std::string& parent);

  std::optional<Stream> browser_in_;
  std::optional<Stream> browser_out_;
  std::optional<LineReader> browser_reader_;
  std::optional<Outcome<void>> ending_;
  Fd devtools_in_;
  Fd devtools_out_;
  int sessions_ = 0;
};

}  // namespace capstan
