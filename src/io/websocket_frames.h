#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace capstan {

// WebSocket's frames (RFC 6455, section 5) as bytes; no I/O.

enum class WebSocketRole { server, client };
enum class WebSocketOpcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10,
};

// What a peer has said.
struct WebSocketMessage {
  std::string payload;
};
struct WebSocketPing {
  std::string payload;
};
struct WebSocketPong {};
struct WebSocketGoodbye {
  std::uint16_t code;  // 1005 if the peer gave none
  std::string reason;
};
// The peer broke the protocol; nothing more can be read from it. `code` is what to tell it: 1002
// for bad frames, 1007 for text that isn't UTF-8, 1009 for a message that is too long. 1013 for one
// that there is no room for at the moment is WebSocket's own.
struct WebSocketFault {
  std::uint16_t code;
  std::string reason;
};
using WebSocketEvent =
    std::variant<WebSocketMessage, WebSocketPing, WebSocketPong, WebSocketGoodbye, WebSocketFault>;

// Puts frames and their fragments together again.
class FrameDecoder {
 public:
  // `role` is ours: a server takes masked frames only, a client unmasked ones only.
  FrameDecoder(WebSocketRole role, std::size_t message_bytes_max)
      : role_(role), message_bytes_max_(message_bytes_max) {}

  // Takes bytes off the front of `bytes` until they make an event or are used up. After a fault it
  // must not be called again.
  std::optional<WebSocketEvent> take(std::string_view& bytes);

  // Of the message that is not whole yet.
  std::size_t message_bytes() const { return message_.size(); }

 private:
  std::optional<WebSocketFault> take_header(std::string_view& bytes);
  std::optional<WebSocketFault> check_header() const;
  void take_payload(std::string_view& bytes);
  std::optional<WebSocketEvent> end_frame();
  bool is_control() const { return opcode_ >= WebSocketOpcode::close; }

  WebSocketRole role_;
  std::size_t message_bytes_max_;

  // The frame that is being read.
  std::array<unsigned char, 14> header_{};
  std::size_t header_bytes_ = 0;
  bool in_payload_ = false;
  bool is_final_ = false;
  WebSocketOpcode opcode_ = WebSocketOpcode::continuation;
  std::uint64_t payload_bytes_ = 0;
  std::uint64_t payload_taken_ = 0;
  std::array<unsigned char, 4> mask_{};
  std::string control_payload_;

  // The message that its frames make up.
  std::optional<WebSocketOpcode> message_opcode_;
  std::string message_;
};

using WebSocketMask = std::array<unsigned char, 4>;

// A whole frame's first bytes; its payload, masked if there is a mask, follows.
std::string frame_header(WebSocketOpcode opcode, std::size_t payload_bytes,
                         const std::optional<WebSocketMask>& mask);

// Masks or unmasks `bytes`, the first of which stands at `offset` of the payload.
void apply_mask(std::span<char> bytes, const WebSocketMask& mask, std::uint64_t offset);

// The payload of a close frame; the reason is clipped to what fits.
std::string goodbye_payload(std::uint16_t code, std::string_view reason);

}  // namespace capstan
