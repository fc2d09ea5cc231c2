#include "io/websocket_frames.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace capstan {
namespace {

constexpr std::size_t control_bytes_max = 125;
constexpr std::uint16_t no_code = 1005;

// Codes that may stand in a close frame (RFC 6455, section 7.4, and the registry behind it).
bool is_close_code(unsigned code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

// Most messages are ASCII, which eight bytes at a time tell far quicker than one by one.
bool is_text(std::string_view bytes) {
  std::size_t plain = 0;
  for (std::uint64_t word = 0; plain + sizeof word <= bytes.size(); plain += sizeof word) {
    std::memcpy(&word, bytes.data() + plain, sizeof word);
    if ((word & 0x8080808080808080U) != 0) {
      break;
    }
  }
  return is_utf8(bytes.substr(plain));
}

WebSocketEvent read_goodbye(std::string_view payload) {
  if (payload.empty()) {
    return WebSocketGoodbye{no_code, {}};
  }
  if (payload.size() == 1) {
    return WebSocketFault{1002, "a close frame of one byte"};
  }
  auto byte = [&](std::size_t i) {
    return static_cast<unsigned>(static_cast<unsigned char>(payload[i]));
  };
  unsigned code = byte(0) * 256 + byte(1);
  std::string_view reason = payload.substr(2);
  if (!is_close_code(code)) {
    return WebSocketFault{1002, "a close code that may not be sent"};
  }
  if (!is_utf8(reason)) {
    return WebSocketFault{1007, "a close reason that is not UTF-8"};
  }
  return WebSocketGoodbye{static_cast<std::uint16_t>(code), std::string(reason)};
}

// How many bytes the header has, as far as its first two tell.
std::size_t header_length(unsigned char second) {
  unsigned length = second & 0x7fU;
  std::size_t extra = length == 127 ? 8U : length == 126 ? 2U : 0U;
  return 2 + extra + ((second & 0x80U) != 0 ? 4 : 0);
}

}  // namespace

std::optional<WebSocketEvent> FrameDecoder::take(std::string_view& bytes) {
  while (true) {
    if (!in_payload_) {
      if (auto fault = take_header(bytes)) {
        return *fault;
      }
      if (!in_payload_) {
        return std::nullopt;
      }
    }
    take_payload(bytes);
    if (payload_taken_ < payload_bytes_) {
      return std::nullopt;
    }
    in_payload_ = false;
    header_bytes_ = 0;
    if (auto event = end_frame()) {
      return event;
    }
  }
}

// Sets in_payload_ once the header is whole.
std::optional<WebSocketFault> FrameDecoder::take_header(std::string_view& bytes) {
  while (header_bytes_ < 2 || header_bytes_ < header_length(header_[1])) {
    if (bytes.empty()) {
      return std::nullopt;
    }
    header_[header_bytes_++] = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
  }
  is_final_ = (header_[0] & 0x80U) != 0;
  opcode_ = static_cast<WebSocketOpcode>(header_[0] & 0x0fU);
  unsigned short_length = header_[1] & 0x7fU;
  std::size_t extra = short_length == 127 ? 8U : short_length == 126 ? 2U : 0U;
  payload_bytes_ = extra == 0 ? short_length : 0;
  for (std::size_t i = 0; i < extra; ++i) {
    payload_bytes_ = (payload_bytes_ << 8U) | header_[2 + i];
  }
  if ((header_[1] & 0x80U) != 0) {
    std::copy_n(header_.begin() + static_cast<std::ptrdiff_t>(2 + extra), 4, mask_.begin());
  }
  payload_taken_ = 0;
  control_payload_.clear();
  in_payload_ = true;
  return check_header();
}

std::optional<WebSocketFault> FrameDecoder::check_header() const {
  auto broken = [](std::string reason) { return WebSocketFault{1002, std::move(reason)}; };
  unsigned short_length = header_[1] & 0x7fU;
  if ((header_[0] & 0x70U) != 0) {
    return broken("reserved bits are set");
  }
  if (((header_[1] & 0x80U) != 0) != (role_ == WebSocketRole::server)) {
    return broken(role_ == WebSocketRole::server ? "a client's frame without a mask"
                                                 : "a server's frame with a mask");
  }
  if ((short_length == 126 && payload_bytes_ < 126) ||
      (short_length == 127 && (payload_bytes_ < 65536 || (payload_bytes_ >> 63U) != 0))) {
    return broken("a length in the wrong form");
  }
  switch (opcode_) {
    case WebSocketOpcode::continuation:
      if (!message_opcode_) {
        return broken("a continuation of nothing");
      }
      break;
    case WebSocketOpcode::text:
    case WebSocketOpcode::binary:
      if (message_opcode_) {
        return broken("a message within another");
      }
      break;
    case WebSocketOpcode::close:
    case WebSocketOpcode::ping:
    case WebSocketOpcode::pong:
      if (!is_final_ || payload_bytes_ > control_bytes_max) {
        return broken("a control frame that is too long or in pieces");
      }
      return std::nullopt;
    default:
      return broken("an unknown opcode");
  }
  if (payload_bytes_ > message_bytes_max_ - message_.size()) {
    return WebSocketFault{
        1009, "the message is longer than " + std::to_string(message_bytes_max_) + " bytes"};
  }
  return std::nullopt;
}

void FrameDecoder::take_payload(std::string_view& bytes) {
  auto count = static_cast<std::size_t>(
      std::min<std::uint64_t>(bytes.size(), payload_bytes_ - payload_taken_));
  std::string& payload = is_control() ? control_payload_ : message_;
  std::size_t old_size = payload.size();
  payload.append(bytes.substr(0, count));
  bytes.remove_prefix(count);
  if (role_ == WebSocketRole::server) {
    apply_mask(std::span(payload).subspan(old_size), mask_, payload_taken_);
  }
  payload_taken_ += count;
}

std::optional<WebSocketEvent> FrameDecoder::end_frame() {
  if (opcode_ == WebSocketOpcode::close) {
    return read_goodbye(control_payload_);
  }
  if (opcode_ == WebSocketOpcode::ping) {
    return WebSocketPing{std::move(control_payload_)};
  }
  if (opcode_ == WebSocketOpcode::pong) {
    return WebSocketPong{};
  }
  if (opcode_ != WebSocketOpcode::continuation) {
    message_opcode_ = opcode_;
  }
  if (!is_final_) {
    return std::nullopt;
  }
  bool must_be_text = message_opcode_ == WebSocketOpcode::text;
  message_opcode_.reset();
  std::string message = std::move(message_);
  message_.clear();
  if (must_be_text && !is_text(message)) {
    return WebSocketFault{1007, "a text message that is not UTF-8"};
  }
  return WebSocketMessage{std::move(message)};
}

std::string frame_header(WebSocketOpcode opcode, std::size_t payload_bytes,
                         const std::optional<WebSocketMask>& mask) {
  std::string header;
  header += static_cast<char>(0x80U | static_cast<unsigned>(opcode));
  unsigned mask_bit = mask ? 0x80U : 0U;
  std::size_t length_bytes = 0;
  if (payload_bytes < 126) {
    header += static_cast<char>(mask_bit | static_cast<unsigned>(payload_bytes));
  } else if (payload_bytes < 65536) {
    header += static_cast<char>(mask_bit | 126U);
    length_bytes = 2;
  } else {
    header += static_cast<char>(mask_bit | 127U);
    length_bytes = 8;
  }
  for (std::size_t i = length_bytes; i > 0; --i) {
    header += static_cast<char>(payload_bytes >> (8 * (i - 1)));
  }
  if (mask) {
    header.append(mask->begin(), mask->end());
  }
  return header;
}

void apply_mask(std::span<char> bytes, const WebSocketMask& mask, std::uint64_t offset) {
  // The mask as it meets the first byte, twice over: eight bytes go at a time.
  std::array<unsigned char, 8> turned{};
  for (std::size_t i = 0; i < turned.size(); ++i) {
    turned[i] = mask[(offset + i) % mask.size()];
  }
  std::uint64_t word_mask = 0;
  std::memcpy(&word_mask, turned.data(), sizeof word_mask);
  std::size_t i = 0;
  for (std::uint64_t word = 0; i + sizeof word <= bytes.size(); i += sizeof word) {
    std::memcpy(&word, bytes.data() + i, sizeof word);
    word ^= word_mask;
    std::memcpy(bytes.data() + i, &word, sizeof word);
  }
  for (; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(static_cast<unsigned char>(bytes[i]) ^ turned[i % 8]);
  }
}

std::string goodbye_payload(std::uint16_t code, std::string_view reason) {
  if (code == no_code) {
    return {};
  }
  std::string payload;
  payload += static_cast<char>(code >> 8U);
  payload += static_cast<char>(code & 0xffU);
  payload += clip_utf8(reason, control_bytes_max - payload.size());
  return payload;
}

}  // namespace capstan
