#include "io/websocket_frames.h"

#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace capstan {
namespace {

constexpr std::size_t message_bytes_max = 100'000;
constexpr WebSocketMask mask = {0x37, 0xfa, 0x21, 0x3d};

std::string bytes_of(std::initializer_list<int> values) {
  std::string bytes;
  for (int value : values) {
    bytes += static_cast<char>(value);
  }
  return bytes;
}

std::string frame(WebSocketOpcode opcode, std::string payload, bool is_final = true) {
  std::string header = frame_header(opcode, payload.size(), mask);
  if (!is_final) {
    header[0] = static_cast<char>(header[0] & 0x7f);
  }
  apply_mask(payload, mask, 0);
  return header + payload;
}

std::string to_text(const WebSocketEvent& event) {
  if (auto* message = std::get_if<WebSocketMessage>(&event)) {
    return "message " + message->payload;
  }
  if (auto* ping = std::get_if<WebSocketPing>(&event)) {
    return "ping " + ping->payload;
  }
  if (auto* goodbye = std::get_if<WebSocketGoodbye>(&event)) {
    return "goodbye " + std::to_string(goodbye->code) + " " + goodbye->reason;
  }
  if (auto* fault = std::get_if<WebSocketFault>(&event)) {
    return "fault " + std::to_string(fault->code);
  }
  return "pong";
}

// All that a server makes of these bytes when they come in pieces.
std::string decoded(std::string_view bytes, std::size_t piece_bytes,
                    WebSocketRole role = WebSocketRole::server) {
  FrameDecoder decoder(role, message_bytes_max);
  std::string text;
  while (!bytes.empty()) {
    std::string_view piece = bytes.substr(0, piece_bytes);
    bytes.remove_prefix(piece.size());
    while (auto event = decoder.take(piece)) {
      text += to_text(*event) + ";";
      if (std::holds_alternative<WebSocketFault>(*event)) {
        return text;
      }
    }
  }
  return text;
}

std::string decoded(std::string_view bytes) { return decoded(bytes, bytes.size()); }

}  // namespace

TEST(FrameDecoder, reads_the_examples_of_the_standard) {
  EXPECT_EQ(decoded(bytes_of({0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58})),
            "message Hello;");
  EXPECT_EQ(decoded(bytes_of({0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f}), 1,
                    WebSocketRole::client),
            "message Hello;");
  EXPECT_EQ(decoded(bytes_of({0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f}), 2, WebSocketRole::client),
            "ping Hello;");
}

TEST(FrameDecoder, joins_fragments_with_control_frames_between_them) {
  std::string bytes =
      frame(WebSocketOpcode::text, "Gr", false) + frame(WebSocketOpcode::ping, "there?") +
      frame(WebSocketOpcode::continuation, "\xc3", false) + frame(WebSocketOpcode::pong, "") +
      frame(WebSocketOpcode::continuation,
            "\xbc\xc3\x9f"
            "e") +
      frame(WebSocketOpcode::binary, "\xff\xfe") +
      frame(WebSocketOpcode::close, goodbye_payload(1001, "bye"));
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    EXPECT_EQ(decoded(bytes, piece),
              "ping there?;pong;message Grüße;message \xff\xfe;goodbye 1001 bye;");
  }
}

TEST(FrameDecoder, reads_what_frame_header_writes_at_every_size) {
  for (std::size_t size : {0U, 1U, 125U, 126U, 127U, 65'535U, 65'536U, 100'000U}) {
    std::string payload(size, 'x');
    std::string expected = "message " + payload + ";";
    EXPECT_EQ(decoded(frame(WebSocketOpcode::text, payload), 1000), expected) << size;
    EXPECT_EQ(decoded(frame_header(WebSocketOpcode::text, size, std::nullopt) + payload, 1000,
                      WebSocketRole::client),
              expected);
  }
}

TEST(FrameDecoder, finds_every_breach_of_the_protocol) {
  const std::string key(4, '\0');
  const std::vector<std::pair<std::string, std::string>> breaches = {
      {"a frame without a mask", bytes_of({0x81, 0x01, 'x'})},
      {"reserved bit 1", bytes_of({0xc1, 0x80}) + key},
      {"reserved bit 3", bytes_of({0x91, 0x80}) + key},
      {"opcode 3", bytes_of({0x83, 0x80}) + key},
      {"opcode 11", bytes_of({0x8b, 0x80}) + key},
      {"a control frame in pieces", frame(WebSocketOpcode::ping, "x", false)},
      {"a control frame of 126 bytes", frame(WebSocketOpcode::ping, std::string(126, 'x'))},
      {"a continuation of nothing", frame(WebSocketOpcode::continuation, "x")},
      {"a message within a message",
       frame(WebSocketOpcode::text, "a", false) + frame(WebSocketOpcode::text, "b")},
      {"16 bits for a short length", bytes_of({0x81, 0xfe, 0, 125}) + key},
      {"64 bits for a short length", bytes_of({0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff}) + key},
      {"the highest bit of a length", bytes_of({0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0}) + key},
      {"a close frame of one byte", frame(WebSocketOpcode::close, "x")},
      {"close code 0", frame(WebSocketOpcode::close, goodbye_payload(0, ""))},
      {"close code 999", frame(WebSocketOpcode::close, goodbye_payload(999, ""))},
      {"close code 1004", frame(WebSocketOpcode::close, goodbye_payload(1004, ""))},
      {"close code 1005", frame(WebSocketOpcode::close, bytes_of({0x03, 0xed}))},
      {"close code 1006", frame(WebSocketOpcode::close, goodbye_payload(1006, ""))},
      {"close code 1015", frame(WebSocketOpcode::close, goodbye_payload(1015, ""))},
      {"close code 2000", frame(WebSocketOpcode::close, goodbye_payload(2000, ""))},
      {"close code 5000", frame(WebSocketOpcode::close, goodbye_payload(5000, ""))},
  };
  for (const auto& [name, bytes] : breaches) {
    EXPECT_EQ(decoded(bytes), "fault 1002;") << name;
    EXPECT_EQ(decoded(bytes, 1), "fault 1002;") << name;
  }
  EXPECT_EQ(decoded(bytes_of({0x81, 0x80, 0, 0, 0, 0}), 9, WebSocketRole::client), "fault 1002;");
}

TEST(FrameDecoder, finds_bad_utf8_in_text_alone) {
  const std::string plain(1000, 'x');
  for (const char* bad : {"\xff", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\xaf"}) {
    EXPECT_EQ(decoded(frame(WebSocketOpcode::text, plain + bad)), "fault 1007;");
    EXPECT_EQ(decoded(frame(WebSocketOpcode::text, bad + plain)), "fault 1007;");
    EXPECT_EQ(decoded(frame(WebSocketOpcode::binary, bad)).substr(0, 7), "message");
  }
  EXPECT_EQ(decoded(frame(WebSocketOpcode::close, goodbye_payload(1000, "\xff"))), "fault 1007;");
}

// Decided by what the frame says of itself, before its payload has come.
TEST(FrameDecoder, finds_messages_that_are_too_long) {
  EXPECT_EQ(decoded(frame_header(WebSocketOpcode::text, message_bytes_max + 1, mask)),
            "fault 1009;");
  EXPECT_EQ(decoded(frame_header(WebSocketOpcode::text, std::size_t{1} << 62U, mask)),
            "fault 1009;");
  EXPECT_EQ(decoded(frame(WebSocketOpcode::text, std::string(99'999, 'x'), false) +
                    frame_header(WebSocketOpcode::continuation, 2, mask)),
            "fault 1009;");
}

TEST(FrameDecoder, clips_a_reason_that_does_not_fit) {
  std::string payload = goodbye_payload(1011, std::string(122, 'x') + "\xc3\xa9");
  EXPECT_EQ(payload.size(), 124U);
  EXPECT_TRUE(decoded(frame(WebSocketOpcode::close, payload)).starts_with("goodbye 1011 xxx"));
  EXPECT_EQ(decoded(frame(WebSocketOpcode::close, "")), "goodbye 1005 ;");
}

// Anything at all: it is read the same however it is cut, and never crashes.
TEST(FrameDecoder, reads_the_same_however_it_is_cut) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes;
    for (int i = 0; i < 6; ++i) {
      const std::array opcodes = {WebSocketOpcode::continuation, WebSocketOpcode::text,
                                  WebSocketOpcode::binary, WebSocketOpcode::ping};
      bytes += frame(opcodes[random() % opcodes.size()], std::string(random() % 200, 'x'),
                     random() % 2 == 0);
    }
    if (round % 2 == 0) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    const std::string at_once = decoded(bytes);
    EXPECT_EQ(decoded(bytes, 1), at_once);
    EXPECT_EQ(decoded(bytes, 1 + random() % 50), at_once);
  }
}

}  // namespace capstan
