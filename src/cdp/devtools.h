#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/json.h"
#include "cdp/devtools_accounts.h"
#include "cdp/devtools_router.h"
#include "cdp/party.h"
#include "io/channel.h"
#include "io/clock.h"
#include "io/stream.h"

namespace capstan {

struct DevToolsLimits {
  // What the browser may send in one message: a full-page screenshot takes a good part.
  std::size_t from_browser_bytes_max = std::size_t{256} * 1024 * 1024;
  // Of a message that is arriving, this much needs no room: most screenshots are shorter.
  std::size_t from_browser_free_bytes = std::size_t{8} * 1024 * 1024;
  // What it may be sent. At 100 MiB Chromium stops reading its pipe for good (seen with 156).
  std::size_t to_browser_bytes_max = std::size_t{96} * 1024 * 1024;
  // What may wait for one party, and for the browser. One message of any size always gets in.
  std::size_t party_queue_bytes_max = std::size_t{16} * 1024 * 1024;
  std::size_t pipe_queue_bytes_max = std::size_t{16} * 1024 * 1024;
  // How long a party that takes nothing may hold up the others.
  Duration stall_limit = std::chrono::seconds(30);
  // How long the browser may take over reading one message; after that it is taken for dead.
  Duration write_limit = std::chrono::seconds(60);
  std::size_t parties_max = 100;
  DevToolsRouterLimits router = {};
};

// One browser's DevTools pipe, shared by several parties: ourselves, who command by call(), and
// outside clients, each of which joins and gets a Party. The browser's owner owns it, and runs
// live() once. The accounts outlive it and its parties. Back-pressure goes all the way: a party
// that doesn't take its messages stops the reading of the pipe, a browser that doesn't read stops
// those who send.
class DevTools {
 public:
  DevTools(Executor executor, Clock& clock, Stream to_browser, Stream from_browser,
           DevToolsAccounts& accounts, DevToolsLimits limits = {});
  // Ends all parties and calls. live() must have ended.
  ~DevTools();
  DevTools(const DevTools&) = delete;
  DevTools& operator=(const DevTools&) = delete;

  // Carries messages until the browser closes the pipe. Throws unavailable when the browser speaks
  // nonsense or stops reading, resource_exhausted when it sends a message over the limit or one
  // that there is no room for. However it ends, by cancellation too, all parties and calls end with
  // it.
  Async<> live();

  // A command of our own, at the root or in a session that another command of ours attached;
  // returns its result. An error answer is thrown: invalid_argument for a command that can't be
  // done as asked, not_found for a session that has gone, else internal. Throws unavailable once
  // the browser has gone. The deadline is the caller's; a cancelled call forgets its answer.
  Async<json::object> call(std::string method, json::object params = {},
                           std::string session_id = {});

  // A new party that speaks to the whole browser, or to one target as at /devtools/page/ID. Throws
  // not_found for an unknown target, resource_exhausted when there are too many parties.
  Async<std::unique_ptr<Party>> join_browser();
  Async<std::unique_ptr<Party>> join_target(std::string target_id);

  // Called the first time that a party sends Browser.close, from inside its send(). The party is
  // answered as if all went well; the browser never hears of it.
  void on_close_request(std::function<void()> listener);

  std::size_t party_count() const { return parties_.size(); }
  // What the browser sent that nobody was waiting for.
  std::uint64_t dropped_count() const { return router_.dropped_count(); }

 private:
  friend class Party;
  class Call;

  Async<> read_pipe();
  Async<> write_pipe();
  Async<> watch_writing();
  Async<> deliver(PartyId party, std::string message);
  Async<std::unique_ptr<Party>> join(std::string method, json::object params);

  // For Party.
  void check_size(const std::string& message) const;
  bool has_room_for(const Party& party) const;
  void take_from(Party& party, const std::string& message);
  void taken_by(PartyId party);
  void leave(Party& party);

  DevToolsRoute command(std::string_view method, const json::object& params,
                        std::string_view session_id);
  void post(std::string message);
  void answered(DevToolsRoute route);
  // The session that this answer brings was attached for somebody who doesn't wait any more.
  void abandon(std::string_view answer);
  void detach(std::string_view session_id);
  void end_party(PartyId party);
  void end();

  Executor executor_;
  Clock& clock_;
  Stream to_browser_;
  Stream from_browser_;
  DevToolsAccounts& accounts_;
  DevToolsLimits limits_;
  std::function<void()> close_listener_;

  DevToolsRouter router_;
  Channel<std::string> outbox_;
  std::unordered_map<PartyId, Party*> parties_;
  // Our commands under way; nothing for a join that was given up, whose session has to go.
  std::unordered_map<std::int32_t, Call*> calls_;
  PartyId held_up_by_ = ourselves;  // whom the reader of the pipe is waiting for
  Event room_made_;
  std::optional<SteadyTime> writing_since_;  // the message that is being written
  bool gone_ = false;
};

}  // namespace capstan
