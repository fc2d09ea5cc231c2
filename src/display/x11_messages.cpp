#include "display/x11_messages.h"

#include <cstring>

#include "base/error.h"

namespace capstan::x11 {
namespace {

constexpr std::size_t message_bytes = 32;
// A region of 100,000 rectangles, which nobody's screen falls into.
constexpr std::size_t message_bytes_max = std::size_t{1} << 20;
constexpr std::uint8_t send_event = 25;     // a request, to another client
constexpr std::uint8_t generic_event = 35;  // the only one that may be longer than 32 bytes

// A request, field by field. The second byte is the extension's own request, or a small argument.
class Request {
 public:
  Request(std::uint8_t opcode, std::uint8_t minor) { byte(opcode).byte(minor).two(0); }

  Request& byte(unsigned value) {
    bytes_.push_back(static_cast<char>(value));
    return *this;
  }
  Request& two(unsigned value) { return byte(value & 0xff).byte((value >> 8) & 0xff); }
  Request& four(std::uint32_t value) { return two(value & 0xffff).two(value >> 16); }
  Request& signed_two(int value) { return two(static_cast<unsigned>(value) & 0xffff); }
  Request& skip(std::size_t count) {
    bytes_.append(count, '\0');
    return *this;
  }
  Request& text(std::string_view text) {
    bytes_.append(text);
    return *this;
  }
  // Padded, and with its length, which is counted in four bytes.
  std::string take() {
    bytes_.append((4 - bytes_.size() % 4) % 4, '\0');
    std::size_t length = bytes_.size() / 4;
    bytes_[2] = static_cast<char>(length & 0xff);
    bytes_[3] = static_cast<char>(length >> 8);
    return std::move(bytes_);
  }

 private:
  std::string bytes_;
};

// Fields of what the server sent; those beyond its end are 0.
template <class Number>
Number number_at(std::string_view bytes, std::size_t offset) {
  Number number = 0;
  if (offset + sizeof number <= bytes.size()) {
    std::memcpy(&number, bytes.data() + offset, sizeof number);
  }
  return number;
}
std::uint8_t byte_at(std::string_view bytes, std::size_t offset) {
  return number_at<std::uint8_t>(bytes, offset);
}
std::uint16_t two_at(std::string_view bytes, std::size_t offset) {
  return number_at<std::uint16_t>(bytes, offset);
}
std::uint32_t four_at(std::string_view bytes, std::size_t offset) {
  return number_at<std::uint32_t>(bytes, offset);
}

Area area_at(std::string_view bytes, std::size_t offset) {
  return {.x = number_at<std::int16_t>(bytes, offset),
          .y = number_at<std::int16_t>(bytes, offset + 2),
          .width = two_at(bytes, offset + 4),
          .height = two_at(bytes, offset + 6)};
}

// `bits` of each unit.
std::string change_property(Id window, Atom property, Atom type, unsigned bits,
                            std::string_view bytes) {
  constexpr std::uint8_t opcode = 18;
  constexpr std::uint8_t append = 2;
  return Request(opcode, append)
      .four(window)
      .four(property)
      .four(type)
      .byte(bits)
      .skip(3)
      .four(static_cast<std::uint32_t>(bytes.size() / (bits / 8)))
      .text(bytes)
      .take();
}

std::size_t padded(std::size_t length) { return (length + 3) / 4 * 4; }

}  // namespace

std::string setup_request() {
  Request request('l', 0);
  std::string bytes = request.two(0).two(0).two(0).two(0).take();
  bytes[2] = 11;  // the protocol's version, where other requests have their length
  return bytes;
}

std::optional<std::size_t> setup_bytes(std::string_view head) {
  constexpr std::uint8_t success = 1;
  if (head.size() < setup_head_bytes || byte_at(head, 0) != success) {
    return std::nullopt;
  }
  return setup_head_bytes + std::size_t{two_at(head, 6)} * 4;
}

std::optional<Setup> read_setup(std::string_view greeting) {
  constexpr std::size_t vendor_offset = 40;
  constexpr std::size_t format_bytes = 8;
  constexpr std::size_t screen_bytes = 40;
  std::size_t screen =
      vendor_offset + padded(two_at(greeting, 24)) + byte_at(greeting, 29) * format_bytes;
  bool has_screen = byte_at(greeting, 28) > 0 && screen + screen_bytes <= greeting.size();
  if (!has_screen) {
    return std::nullopt;
  }
  return Setup{
      .id_base = four_at(greeting, 12),
      .root = four_at(greeting, screen),
      .size = {.width = two_at(greeting, screen + 20), .height = two_at(greeting, screen + 22)},
      .depth = byte_at(greeting, screen + 38)};
}

std::string query_extension(std::string_view name) {
  constexpr std::uint8_t opcode = 98;
  return Request(opcode, 0).two(static_cast<unsigned>(name.size())).two(0).text(name).take();
}

std::optional<Extension> read_extension(std::string_view reply) {
  if (byte_at(reply, 8) == 0) {
    return std::nullopt;
  }
  return Extension{.opcode = byte_at(reply, 9), .first_event = byte_at(reply, 10)};
}

std::string shm_query_version(Extension shm) { return Request(shm.opcode, 0).take(); }

std::string damage_query_version(Extension damage) {
  return Request(damage.opcode, 0).four(1).four(1).take();
}

std::string fixes_query_version(Extension fixes) {
  return Request(fixes.opcode, 0).four(5).four(0).take();
}

std::string shm_attach(Extension shm, Id segment) {
  constexpr std::uint8_t attach_fd = 6;
  return Request(shm.opcode, attach_fd).four(segment).byte(0).skip(3).take();
}

std::string shm_get_image(Extension shm, Id drawable, const Area& area, Id segment,
                          std::uint32_t offset) {
  constexpr std::uint8_t get_image = 4;
  constexpr unsigned z_pixmap = 2;
  return Request(shm.opcode, get_image)
      .four(drawable)
      .signed_two(area.x)
      .signed_two(area.y)
      .two(static_cast<unsigned>(area.width))
      .two(static_cast<unsigned>(area.height))
      .four(~std::uint32_t{0})
      .byte(z_pixmap)
      .skip(3)
      .four(segment)
      .four(offset)
      .take();
}

std::string damage_create(Extension damage, Id id, Id drawable) {
  constexpr std::uint8_t create = 1;
  constexpr unsigned when_its_bounds_grow = 2;
  return Request(damage.opcode, create)
      .four(id)
      .four(drawable)
      .byte(when_its_bounds_grow)
      .skip(3)
      .take();
}

Area read_damage(std::string_view event) { return area_at(event, 16); }

std::string damage_take(Extension damage, Id id, Id region) {
  constexpr std::uint8_t subtract = 3;
  constexpr Id all = 0;
  return Request(damage.opcode, subtract).four(id).four(all).four(region).take();
}

std::string region_create(Extension fixes, Id region) {
  constexpr std::uint8_t create = 5;
  return Request(fixes.opcode, create).four(region).take();
}

std::string region_fetch(Extension fixes, Id region) {
  constexpr std::uint8_t fetch = 19;
  return Request(fixes.opcode, fetch).four(region).take();
}

Change read_region(std::string_view reply) {
  constexpr std::size_t rectangle_bytes = 8;
  Change change{.area = area_at(reply, 8)};
  for (std::size_t at = message_bytes; at + rectangle_bytes <= reply.size();
       at += rectangle_bytes) {
    change.pixels += area_at(reply, at).pixels();
  }
  return change;
}

std::string press(Extension test, Press kind, std::uint8_t code) {
  constexpr std::uint8_t fake_input = 2;
  return Request(test.opcode, fake_input)
      .byte(static_cast<unsigned>(kind))
      .byte(code)
      .skip(30)
      .take();
}

std::string move_pointer(Extension test, Id root, int x, int y) {
  constexpr std::uint8_t fake_input = 2;
  constexpr unsigned motion = 6;
  return Request(test.opcode, fake_input)
      .byte(motion)
      .byte(0)
      .two(0)
      .four(0)
      .four(root)
      .skip(8)
      .signed_two(x)
      .signed_two(y)
      .skip(8)
      .take();
}

std::string map_key(std::uint8_t keycode, std::uint32_t symbol) {
  constexpr std::uint8_t change_keyboard_mapping = 100;
  constexpr unsigned one_keycode = 1;
  constexpr unsigned two_symbols = 2;
  return Request(change_keyboard_mapping, one_keycode)
      .byte(keycode)
      .byte(two_symbols)
      .two(0)
      .four(symbol)
      .four(symbol)
      .take();
}

std::string intern_atom(std::string_view name) {
  constexpr std::uint8_t opcode = 16;
  return Request(opcode, 0).two(static_cast<unsigned>(name.size())).two(0).text(name).take();
}

Atom read_atom(std::string_view reply) { return four_at(reply, 8); }

std::string create_hidden_window(Id window, Id root) {
  constexpr std::uint8_t opcode = 1;
  constexpr unsigned input_only = 2;
  return Request(opcode, 0)
      .four(window)
      .four(root)
      .two(0)
      .two(0)
      .two(1)
      .two(1)
      .two(0)
      .two(input_only)
      .four(0)
      .four(0)
      .take();
}

std::string own_selection(Id window, Atom selection) {
  constexpr std::uint8_t opcode = 22;
  return Request(opcode, 0).four(window).four(selection).four(0).take();
}

SelectionRequest read_selection_request(std::string_view event) {
  return {.time = four_at(event, 4),
          .requestor = four_at(event, 12),
          .selection = four_at(event, 16),
          .target = four_at(event, 20),
          .property = four_at(event, 24)};
}

std::string append_property(Id window, Atom property, Atom type, std::string_view bytes) {
  return change_property(window, property, type, 8, bytes);
}

std::string append_atoms(Id window, Atom property, const std::vector<Atom>& atoms) {
  constexpr Atom atom_itself = 4;
  std::string bytes(atoms.size() * sizeof(Atom), '\0');
  std::memcpy(bytes.data(), atoms.data(), bytes.size());
  return change_property(window, property, atom_itself, 32, bytes);
}

std::string answer_selection_request(const SelectionRequest& request, Atom property) {
  constexpr unsigned selection_notify = 31;
  return Request(send_event, 0)
      .four(request.requestor)
      .four(0)
      .byte(selection_notify)
      .skip(3)
      .four(request.time)
      .four(request.requestor)
      .four(request.selection)
      .four(request.target)
      .four(property)
      .skip(8)
      .take();
}

std::string get_input_focus() {
  constexpr std::uint8_t opcode = 43;
  return Request(opcode, 0).take();
}

std::optional<Id> read_input_focus(std::string_view reply, Id root) {
  constexpr Id whatever_is_under_the_pointer = 1;
  const Id window = four_at(reply, 8);
  const bool is_window = window > whatever_is_under_the_pointer && window != root;
  return is_window ? std::optional(window) : std::nullopt;
}

std::string query_pointer(Id root) {
  constexpr std::uint8_t opcode = 38;
  return Request(opcode, 0).four(root).take();
}

std::optional<Id> read_window_under_pointer(std::string_view reply) {
  const Id window = four_at(reply, 12);
  return window != 0 ? std::optional(window) : std::nullopt;
}

std::string ping(Id window, PingAtoms atoms, std::uint32_t number) {
  constexpr unsigned words_of_four_bytes = 32;
  return Request(send_event, 0)
      .four(window)
      .four(0)
      .byte(client_message_event)
      .byte(words_of_four_bytes)
      .two(0)
      .four(window)
      .four(atoms.wm_protocols)
      .four(atoms.net_wm_ping)
      .four(number)
      .four(window)
      .skip(8)
      .take();
}

std::string listen_at_root(Id root) {
  constexpr std::uint8_t change_window_attributes = 2;
  constexpr std::uint32_t event_mask = 0x800;
  constexpr std::uint32_t substructure_notify = 0x80000;
  return Request(change_window_attributes, 0)
      .four(root)
      .four(event_mask)
      .four(substructure_notify)
      .take();
}

std::optional<std::uint32_t> read_pong(std::string_view event, PingAtoms atoms) {
  const bool is_pong =
      four_at(event, 8) == atoms.wm_protocols && four_at(event, 12) == atoms.net_wm_ping;
  return is_pong ? std::optional(four_at(event, 16)) : std::nullopt;
}

std::optional<Message> MessageReader::take() {
  if (bytes_.size() < message_bytes) {
    return std::nullopt;
  }
  constexpr std::uint8_t sent_by_a_client = 0x80;  // marks an event, not by the server
  std::uint8_t first = byte_at(bytes_, 0);
  std::uint8_t event = first & static_cast<std::uint8_t>(~sent_by_a_client);
  bool may_be_longer = first == 1 || event == generic_event;
  std::size_t length =
      message_bytes + (may_be_longer ? std::size_t{four_at(bytes_, 4)} * 4 : std::size_t{0});
  if (length > message_bytes_max) {
    throw Error(ErrorCode::unavailable, "the display sent too long a message");
  }
  if (bytes_.size() < length) {
    return std::nullopt;
  }
  Message message{.kind = first == 0   ? Message::Kind::error
                          : first == 1 ? Message::Kind::reply
                                       : Message::Kind::event,
                  .code = first == 0 ? byte_at(bytes_, 1) : event,
                  .sequence = two_at(bytes_, 2),
                  .bytes = bytes_.substr(0, length)};
  bytes_.erase(0, length);
  return message;
}

}  // namespace capstan::x11
