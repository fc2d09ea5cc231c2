#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/text.h"
#include "io/websocket_frames.h"

namespace capstan {
namespace {

constexpr std::size_t message_bytes_max = 1000;

std::string to_text(const WebSocketEvent& event) {
  if (auto* message = std::get_if<WebSocketMessage>(&event)) {
    CHECK(message->payload.size() <= message_bytes_max);
    return "message " + message->payload;
  }
  if (auto* ping = std::get_if<WebSocketPing>(&event)) {
    CHECK(ping->payload.size() <= 125);
    return "ping " + ping->payload;
  }
  if (auto* goodbye = std::get_if<WebSocketGoodbye>(&event)) {
    CHECK(is_utf8(goodbye->reason));
    return "goodbye " + std::to_string(goodbye->code) + goodbye->reason;
  }
  if (auto* fault = std::get_if<WebSocketFault>(&event)) {
    CHECK(fault->code == 1002 || fault->code == 1007 || fault->code == 1009);
    return "fault " + std::to_string(fault->code);
  }
  return "pong";
}

std::string decoded(WebSocketRole role, std::string_view bytes, std::size_t piece_bytes) {
  FrameDecoder decoder(role, message_bytes_max);
  std::string text;
  while (!bytes.empty()) {
    std::string_view piece = bytes.substr(0, piece_bytes);
    bytes.remove_prefix(piece.size());
    while (auto event = decoder.take(piece)) {
      text += to_text(*event) + "\n";
      if (std::holds_alternative<WebSocketFault>(*event)) {
        return text;
      }
    }
    CHECK(piece.empty());
  }
  return text;
}

}  // namespace
}  // namespace capstan

// Frames are read the same however their bytes are cut, within all bounds.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace capstan;
  std::string_view text(reinterpret_cast<const char*>(bytes), size);
  for (WebSocketRole role : {WebSocketRole::server, WebSocketRole::client}) {
    std::string at_once = decoded(role, text, std::max<std::size_t>(size, 1));
    CHECK(decoded(role, text, 1) == at_once);
    CHECK(decoded(role, text, 7) == at_once);
  }
  return 0;
}
