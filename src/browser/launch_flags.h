#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "display/picture.h"

namespace capstan {

// Which Chromium a session gets: the full browser, or the headless shell, which takes a third of
// the memory and a fifth of the processor time.
enum class BrowserKind { headful, headless };

std::string_view to_text(BrowserKind kind);

struct Viewport {
  int width = 1440;
  int height = 900;
  friend bool operator==(const Viewport&, const Viewport&) = default;
};

// The height that full Chromium's own bars take from its window, measured on Chromium 156:
// a window of 900 shows a page of 813. The shell has no bars.
int bars_height(BrowserKind kind);
// The size of the screen that a browser with this viewport fits on exactly. Encoders want even
// numbers; and a window that covers the whole screen gets a pixel less than it asked for.
PictureSize screen_size(Viewport viewport);

struct LaunchFlags {
  BrowserKind kind;
  Viewport viewport = {};
  // Whether a headful browser has a screen. If not, it runs without showing its window.
  bool has_screen = false;
  std::filesystem::path profile_folder;
  std::string user_agent;
  // Where every connection goes, http://127.0.0.1:PORT.
  std::string proxy;
  // Chromium's own sandbox around its renderers. Only off where the kernel refuses it.
  bool own_sandbox = true;
  // Whether there is a /dev/shm of its own, large enough for its bitmaps.
  bool has_shared_memory = true;
};

// The command line. It is made here alone: no client can add to it.
std::vector<std::string> to_arguments(const LaunchFlags& flags);

// What a browser of this version says of itself; never "Headless". `version` is "156.0.8078.79".
std::string user_agent(std::string_view version);

}  // namespace capstan
