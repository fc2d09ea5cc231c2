#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "display/x11_messages.h"
#include "io/outcome.h"

// What an X server sends, cut in two anywhere: it is read the same, and never beyond its end.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace capstan;
  std::string_view text(reinterpret_cast<const char*>(bytes), size);
  if (size == 0) {
    return 0;
  }
  if (auto setup = x11::read_setup(text)) {
    CHECK(setup->size.width >= 0 && setup->size.height >= 0);
  }
  x11::read_extension(text);
  x11::read_input_focus(text, 1);
  x11::read_window_under_pointer(text);
  x11::read_pong(text, {});
  Change change = x11::read_region(text);
  CHECK(change.pixels >= 0);
  std::size_t cut = 1 + bytes[0] % size;
  x11::MessageReader reader;
  std::size_t taken = 0;
  auto cut_up = outcome_of_call([&] {
    for (std::string_view piece : {text.substr(0, cut), text.substr(cut)}) {
      reader.add(piece);
      while (auto message = reader.take()) {
        taken += message->bytes.size();
      }
    }
  });
  CHECK(!cut_up.ok() || taken <= size);
  return 0;
}
