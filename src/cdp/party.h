#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cdp/devtools_accounts.h"
#include "cdp/devtools_router.h"
#include "io/channel.h"

namespace capstan {

class DevTools;

// What a message weighs in a queue: its text, and what keeping it costs besides.
inline std::size_t queued_bytes(const std::string& message) { return message.size() + 64; }

// One outside client of a browser. It sees the protocol as if it were alone on a browser's (or a
// page's) DevTools socket. DevTools makes it; whoever asked for it owns it, and may keep it longer
// than the DevTools. Destroying it leaves the browser: its session is detached, with all that was
// attached below and the contexts that asked to go with it, and nobody may be inside its functions.
class Party {
 public:
  ~Party();
  Party(const Party&) = delete;
  Party& operator=(const Party&) = delete;

  // A client's message for the browser. Waits while the pipe to the browser is full, or while this
  // party leaves its own messages untaken. Nonsense never gets through; the party receives the
  // answer that Chromium would give. Once the party has ended the message is dropped. Throws
  // resource_exhausted for one that is longer than the browser can take.
  Async<> send(std::string message);

  // The next message for the client; nothing once the browser or the session of this party has
  // gone and all that came before is taken.
  Async<std::optional<std::string>> receive();

  // Returns once the party was put out because it held up everybody by taking nothing for too
  // long, or because there was no room for its messages; what it has not taken is dropped then.
  // Whoever is stuck passing a message on to the client, and so can't be in receive(), gives up
  // when this returns.
  Async<> expelled();
  enum class Expulsion { stalled, no_room };
  std::optional<Expulsion> expulsion() const { return expulsion_; }

 private:
  friend class DevTools;

  Party(DevTools& devtools, const Executor& executor, PartyId id, std::string session_id,
        std::size_t queue_bytes_max, DevToolsAccounts& accounts);
  // Counts the message, for push() to come. False, with this party expelled, if there is no room
  // for it, though whoever held more was expelled.
  bool make_room_for(const std::string& message);
  void push(std::string message);
  bool count_held();
  void expel(Expulsion why);
  void end();

  DevTools* devtools_;  // nothing once the party has ended
  PartyId id_;
  std::string session_id_;
  Channel<std::string> queue_;
  DevToolsAccounts& accounts_;
  // Of what waits in the queue or for it, and of what was taken last: that is on its way to the
  // client.
  ByteBudget::Share held_;
  std::size_t coming_bytes_ = 0;
  std::size_t taken_bytes_ = 0;
  Event may_send_;
  std::optional<Expulsion> expulsion_;
  Event expelled_;
};

}  // namespace capstan
