#include "display/x11_messages.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace capstan::x11 {
namespace {

std::string two(unsigned value) {
  return {static_cast<char>(value & 0xff), static_cast<char>(value >> 8)};
}
std::string four(std::uint32_t value) { return two(value & 0xffff) + two(value >> 16); }
std::string zeros(std::size_t count) { return std::string(count, '\0'); }

// As a server with one screen of 1440x988 sends it.
std::string greeting() {
  std::string vendor = "X.Org!";
  std::string body = four(12101007) + four(0x200000) + four(0x1fffff) + four(256) +
                     two(static_cast<unsigned>(vendor.size())) + two(65535) + "\1\2" + zeros(4) +
                     "\x08\xff" + zeros(4) + vendor + zeros(2) + zeros(2 * 8);
  body += four(0x39) + zeros(16) + two(1440) + two(988) + zeros(14) + std::string("\x18\0", 2);
  return std::string("\1\0\x0b\0\0\0", 6) + two(static_cast<unsigned>(body.size() / 4)) + body;
}

std::string event(std::uint8_t code) {
  return std::string(1, static_cast<char>(code)) + zeros(1) + two(7) + zeros(28);
}

std::string reply(std::uint16_t sequence, std::string_view more = {}) {
  return std::string("\1\0", 2) + two(sequence) +
         four(static_cast<std::uint32_t>(more.size() / 4)) + zeros(24) + std::string(more);
}

}  // namespace

TEST(X11MessagesTest, a_greeting_tells_the_screen) {
  std::string text = greeting();
  ASSERT_EQ(setup_bytes(text.substr(0, setup_head_bytes)), text.size());
  auto setup = read_setup(text);
  ASSERT_TRUE(setup);
  EXPECT_EQ(setup->id_base, 0x200000U);
  EXPECT_EQ(setup->root, 0x39U);
  EXPECT_EQ(setup->size, (PictureSize{.width = 1440, .height = 988}));
  EXPECT_EQ(setup->depth, 24);
}

TEST(X11MessagesTest, a_refusal_and_half_a_greeting_are_none) {
  EXPECT_FALSE(setup_bytes(std::string("\0\0\x0b\0\0\0\2\0", 8)));
  EXPECT_FALSE(setup_bytes(std::string("HTTP/1.1", 8)));
  std::string text = greeting();
  for (std::size_t length = 0; length < text.size(); ++length) {
    EXPECT_FALSE(read_setup(text.substr(0, length))) << length;
  }
}

TEST(X11MessagesTest, requests_tell_their_length_in_four_bytes) {
  Extension extension{.opcode = 130, .first_event = 90};
  for (const std::string& request : {query_extension("MIT-SHM"),
                                     query_extension("DAMAGE"),
                                     shm_query_version(extension),
                                     shm_attach(extension, 1),
                                     shm_get_image(extension, 1, {.width = 5, .height = 5}, 2, 100),
                                     damage_create(extension, 1, 2),
                                     damage_take(extension, 1, 2),
                                     region_create(extension, 1),
                                     region_fetch(extension, 1),
                                     press(extension, Press::key_down, 38),
                                     move_pointer(extension, 1, 5, 6),
                                     map_key(200, 0x01000041),
                                     get_input_focus(),
                                     intern_atom("CLIPBOARD"),
                                     create_hidden_window(1, 2),
                                     own_selection(1, 2),
                                     append_property(1, 2, 3, "some text"),
                                     append_atoms(1, 2, {3, 4, 5}),
                                     answer_selection_request({}, 1),
                                     ping(1, {}, 2),
                                     listen_at_root(1),
                                     query_pointer(1)}) {
    ASSERT_EQ(request.size() % 4, 0U);
    EXPECT_EQ(static_cast<std::size_t>(static_cast<std::uint8_t>(request[2])), request.size() / 4);
  }
  EXPECT_EQ(press(extension, Press::key_down, 38).size(), 36U);
  EXPECT_EQ(move_pointer(extension, 1, 5, 6).size(), 36U);
}

TEST(X11MessagesTest, a_ping_comes_back_with_its_number) {
  constexpr PingAtoms atoms{.wm_protocols = 300, .net_wm_ping = 301};
  const std::string request = ping(0x400002, atoms, 77);
  const std::string event = request.substr(12);  // as it is sent
  EXPECT_EQ(event.size(), 32U);
  EXPECT_EQ(static_cast<std::uint8_t>(event[0]), client_message_event);
  EXPECT_EQ(read_pong(event, atoms), 77U);
  EXPECT_FALSE(read_pong(event, {.wm_protocols = 300, .net_wm_ping = 302}));
  EXPECT_FALSE(read_pong(event, {.wm_protocols = 299, .net_wm_ping = 301}));
  EXPECT_FALSE(read_pong(event.substr(0, 8), atoms));
}

TEST(X11MessagesTest, only_a_window_has_the_keyboard) {
  constexpr Id root = 0x39;
  auto focus = [](std::uint32_t window) { return std::string(8, '\1') + four(window) + zeros(20); };
  EXPECT_EQ(read_input_focus(focus(0x400002), root), 0x400002U);
  EXPECT_FALSE(read_input_focus(focus(0), root));
  EXPECT_FALSE(read_input_focus(focus(1), root)) << "whichever is under the pointer";
  EXPECT_FALSE(read_input_focus(focus(root), root));
  auto pointer = [](std::uint32_t child) {
    return std::string(8, '\1') + four(root) + four(child) + zeros(16);
  };
  EXPECT_EQ(read_window_under_pointer(pointer(0x400002)), 0x400002U);
  EXPECT_FALSE(read_window_under_pointer(pointer(0)));
}

TEST(X11MessagesTest, a_stream_is_cut_into_messages_wherever_its_pieces_end) {
  std::string stream = event(90) + reply(3, "12345678") + std::string("\0\x0a", 2) + two(4) +
                       zeros(28) + event(0x80 | 91);
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    MessageReader reader;
    std::vector<Message> messages;
    for (std::string_view piece :
         {std::string_view(stream).substr(0, cut), std::string_view(stream).substr(cut)}) {
      reader.add(piece);
      while (auto message = reader.take()) {
        messages.push_back(std::move(*message));
      }
    }
    ASSERT_EQ(messages.size(), 4U) << cut;
    EXPECT_EQ(messages[0].kind, Message::Kind::event);
    EXPECT_EQ(messages[0].code, 90);
    EXPECT_EQ(messages[1].kind, Message::Kind::reply);
    EXPECT_EQ(messages[1].sequence, 3);
    EXPECT_EQ(messages[1].bytes.size(), 40U);
    EXPECT_EQ(messages[2].kind, Message::Kind::error);
    EXPECT_EQ(messages[2].code, 10);
    EXPECT_EQ(messages[3].code, 91);
  }
}

TEST(X11MessagesTest, a_message_that_claims_to_be_huge_ends_the_talk) {
  MessageReader reader;
  reader.add(std::string("\1\0\0\0", 4) + four(0x40000000) + zeros(24));
  EXPECT_THROW(reader.take(), Error);
}

TEST(X11MessagesTest, a_region_tells_its_extent_and_its_pixels) {
  auto area = [](unsigned x, unsigned y, unsigned width, unsigned height) {
    return two(x) + two(y) + two(width) + two(height);
  };
  std::string text = reply(1, area(10, 10, 2, 2) + area(40, 30, 10, 1));
  text.replace(8, 8, area(10, 10, 40, 21));
  Change change = read_region(text);
  EXPECT_EQ(change.area, (Area{.x = 10, .y = 10, .width = 40, .height = 21}));
  EXPECT_EQ(change.pixels, 14);
  EXPECT_EQ(read_region("").pixels, 0);
}

TEST(X11MessagesTest, events_tell_what_changed_and_what_somebody_wants) {
  std::string damage = event(91);
  damage.replace(16, 8, two(5) + two(6) + two(7) + two(8));
  EXPECT_EQ(read_damage(damage), (Area{.x = 5, .y = 6, .width = 7, .height = 8}));
  std::string wanted = event(selection_request_event);
  wanted.replace(4, 24, four(1) + four(2) + four(3) + four(4) + four(5) + four(6));
  SelectionRequest request = read_selection_request(wanted);
  EXPECT_EQ(request.time, 1U);
  EXPECT_EQ(request.requestor, 3U);
  EXPECT_EQ(request.selection, 4U);
  EXPECT_EQ(request.target, 5U);
  EXPECT_EQ(request.property, 6U);
  std::string answer = answer_selection_request(request, 6);
  EXPECT_EQ(answer.substr(4, 4), four(3));
  EXPECT_EQ(answer.substr(12, 1), "\x1f");
  EXPECT_EQ(answer.substr(16, 20), four(1) + four(3) + four(4) + four(5) + four(6));
}

TEST(X11MessagesTest, an_extension_is_there_or_not) {
  std::string text = reply(1);
  EXPECT_FALSE(read_extension(text));
  text.replace(8, 3, "\1\x82\x5b");
  auto extension = read_extension(text);
  ASSERT_TRUE(extension);
  EXPECT_EQ(extension->opcode, 130);
  EXPECT_EQ(extension->first_event, 91);
}

}  // namespace capstan::x11
