#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "display/picture.h"

namespace capstan {

// The little of the X11 protocol that a display needs: to see what changes on a screen, to fetch
// its pixels into shared memory, and to press keys and buttons. Requests are made as bytes; what a
// server sends is cut into messages and read, and is not trusted (X Window System Protocol,
// release 7; extensions MIT-SHM 1.2, DAMAGE 1.1, XFIXES 5.0, XTEST 2.2). Byte order is little
// endian. No input or output.
namespace x11 {

using Id = std::uint32_t;

std::string setup_request();

// What of a server's greeting matters.
struct Setup {
  Id id_base = 0;  // ours begin here
  Id root = 0;
  PictureSize size;
  std::uint8_t depth = 0;
};

// How long the greeting is, as its first 8 bytes tell; nothing if it isn't one, or a refusal.
inline constexpr std::size_t setup_head_bytes = 8;
std::optional<std::size_t> setup_bytes(std::string_view head);
// Reads the whole greeting; nothing if it isn't one, or has no screen.
std::optional<Setup> read_setup(std::string_view greeting);

std::string query_extension(std::string_view name);
struct Extension {
  std::uint8_t opcode = 0;
  std::uint8_t first_event = 0;
};
// Nothing if the server doesn't have it.
std::optional<Extension> read_extension(std::string_view reply);

// Each extension has to be asked for its version before it is used.
std::string shm_query_version(Extension shm);
std::string damage_query_version(Extension damage);
std::string fixes_query_version(Extension fixes);

// Goes with the descriptor of the memory.
std::string shm_attach(Extension shm, Id segment);
// Writes whole lines of the drawable's pixels into the segment, at `offset`.
std::string shm_get_image(Extension shm, Id drawable, const Area& area, Id segment,
                          std::uint32_t offset);

// Tells whenever the smallest area grows that holds all that has changed since damage_take().
std::string damage_create(Extension damage, Id id, Id drawable);
// That area, in such an event.
Area read_damage(std::string_view event);
// Moves what has changed into the region.
std::string damage_take(Extension damage, Id id, Id region);
std::string region_create(Extension fixes, Id region);
std::string region_fetch(Extension fixes, Id region);
Change read_region(std::string_view reply);

enum class Press : std::uint8_t { key_down = 2, key_up = 3, button_down = 4, button_up = 5 };
std::string press(Extension test, Press kind, std::uint8_t code);
std::string move_pointer(Extension test, Id root, int x, int y);
// Both levels of the key then have this symbol.
std::string map_key(std::uint8_t keycode, std::uint32_t symbol);

// Names of the protocol, as numbers.
using Atom = std::uint32_t;
std::string intern_atom(std::string_view name);
Atom read_atom(std::string_view reply);

// A window that is never seen, to own a selection.
std::string create_hidden_window(Id window, Id root);
std::string own_selection(Id window, Atom selection);
// Somebody wants what is selected, as `target`, in this property of its window.
struct SelectionRequest {
  std::uint32_t time = 0;
  Id requestor = 0;
  Atom selection = 0;
  Atom target = 0;
  Atom property = 0;
};
inline constexpr std::uint8_t selection_request_event = 30;
SelectionRequest read_selection_request(std::string_view event);
// Adds to a property; atoms are told as atoms, else as bytes. Both take up to 256 KiB.
std::string append_property(Id window, Atom property, Atom type, std::string_view bytes);
std::string append_atoms(Id window, Atom property, const std::vector<Atom>& atoms);
// That the property is there, or with 0 that there is nothing to give.
std::string answer_selection_request(const SelectionRequest& request, Atom property);

// The cheapest request with a reply, which comes when all before it is done: the window that has
// the keyboard. If that is nothing, or the root, the window under the pointer has it.
std::string get_input_focus();
std::optional<Id> read_input_focus(std::string_view reply, Id root);
std::string query_pointer(Id root);
std::optional<Id> read_window_under_pointer(std::string_view reply);

// Asks the client of a window to send the number back, to the root. Clients take what they are sent
// in order, so it has taken all keys before (_NET_WM_PING, Extended Window Manager Hints 1.5).
struct PingAtoms {
  Atom wm_protocols = 0;
  Atom net_wm_ping = 0;
};
std::string ping(Id window, PingAtoms atoms, std::uint32_t number);
// To hear the answers.
std::string listen_at_root(Id root);
inline constexpr std::uint8_t client_message_event = 33;
// Nothing if the message is another one.
std::optional<std::uint32_t> read_pong(std::string_view event, PingAtoms atoms);

// What a server sends after its greeting.
struct Message {
  enum class Kind { reply, error, event };
  Kind kind = Kind::event;
  std::uint8_t code = 0;  // of an event its number, of an error its code
  std::uint16_t sequence = 0;
  std::string bytes;  // the whole message
};

// Cuts the stream of bytes into messages.
class MessageReader {
 public:
  void add(std::string_view bytes) { bytes_.append(bytes); }
  // The next message that is complete. Throws unavailable for one that is longer than any that we
  // ask for.
  std::optional<Message> take();

 private:
  std::string bytes_;
};

}  // namespace x11
}  // namespace capstan
