#pragma once

#include <memory>
#include <string>

#include "display/display.h"
#include "display/hands.h"
#include "io/channel.h"
#include "io/websocket.h"
#include "session/live_links.h"

namespace capstan {

class LiveView;

// One who watches a session live: pictures go to it, and from one who drives come the moves of
// hands. What it sends is foreign, and what its role does not allow is refused here, whatever its
// page thinks. It lives in the frame of LiveView::serve().
//
// The talk with its page: text messages are JSON, {"type":...}; binary messages are pictures, a
// head of 24 bytes (little endian: u8 1, u8 1 for the whole screen, u16 0, u32 number, u16 x, y,
// width, height, screen's width, screen's height, u32 milliseconds) and a JPEG.
// live/src/messages.ts and picture.ts are the other side.
class LiveViewer {
 public:
  LiveViewer(LiveView& view, WebSocket& socket, LiveRole role, std::string id);

  // Until the viewer leaves. Throws conflict once it was replaced.
  Async<> live();
  LiveRole role() const { return role_; }
  const std::string& id() const { return id_; }
  // By the same viewer, who has come again.
  void replace() { replaced_.set(); }
  // Doesn't wait; who doesn't read is put out by live().
  void tell(const json::object& message);

 private:
  Async<> send_texts();
  Async<> send_pictures();
  Async<> send_picture(Area area, int quality);
  Async<> receive();
  Async<> act_in_turn();
  Async<> act(std::string type, json::object message);
  Async<> replaced();
  Async<> press(KeyInput key);
  Async<> write(std::string text);
  void refuse(std::string message);

  LiveView& view_;
  WebSocket& socket_;
  const LiveRole role_;
  const std::string id_;
  Channel<std::string> texts_;
  Channel<json::object> actions_;
  std::uint32_t last_number_ = 0;
  std::size_t on_the_way_ = 0;
  Event acknowledged_;
  Event replaced_;
};

}  // namespace capstan
