#include "browser/launch_flags.h"

namespace capstan {

std::string_view to_text(BrowserKind kind) {
  return kind == BrowserKind::headful ? "headful" : "headless";
}

int bars_height(BrowserKind kind) { return kind == BrowserKind::headful ? 87 : 0; }

PictureSize screen_size(Viewport viewport) {
  auto even = [](int side) { return (side + 1) / 2 * 2; };
  return {.width = even(viewport.width),
          .height = even(viewport.height + bars_height(BrowserKind::headful) + 1)};
}

std::string user_agent(std::string_view version) {
  std::string major(version.substr(0, version.find('.')));
  // The reduced form, which is what Chromium itself sends since version 101.
  return "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/" + major +
         ".0.0.0 Safari/537.36";
}

std::vector<std::string> to_arguments(const LaunchFlags& flags) {
  const Viewport& viewport = flags.viewport;
  std::string window = std::to_string(viewport.width) + "," +
                       std::to_string(viewport.height + bars_height(flags.kind));
  std::vector<std::string> arguments{
      "--remote-debugging-pipe",
      "--user-data-dir=" + flags.profile_folder.string(),
      "--user-agent=" + flags.user_agent,
      "--window-size=" + window,
      "--lang=en-US",

      // Everything goes through the gateway, loopback too, which Chromium would leave out. A page
      // can't take a way around it: there is none in the cage.
      "--proxy-server=" + flags.proxy,
      "--proxy-bypass-list=<-loopback>",
      "--webrtc-ip-handling-policy=disable_non_proxied_udp",
      "--force-webrtc-ip-handling-policy",
      "--disk-cache-size=67108864",  // it would take a share of the folder, which is in memory

      // Nothing but what the page and the session ask for goes to the network.
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-default-apps",
      "--disable-domain-reliability",
      "--disable-sync",
      "--disable-quic",
      "--no-pings",
      "--metrics-recording-only",
      "--disable-features=OptimizationHints,MediaRouter,Translate,AcceptCHFrame,"
      "AutofillServerCommunication,CertificateTransparencyComponentUpdater,"
      "GlobalMediaControls,InterestFeedContentSuggestions",

      // Nobody is there to answer a first-run page, a crash report or a key-ring's question.
      "--no-first-run",
      "--no-default-browser-check",
      "--disable-breakpad",
      "--disable-crash-reporter",
      "--password-store=basic",
      "--use-mock-keychain",
      "--disable-search-engine-choice-screen",
      "--disable-prompt-on-repost",
      "--disable-hang-monitor",

      // A page behaves the same whether somebody looks at it or not.
      "--disable-background-timer-throttling",
      "--disable-backgrounding-occluded-windows",
      "--disable-renderer-backgrounding",
      "--disable-ipc-flooding-protection",
      "--force-color-profile=srgb",
      "--hide-scrollbars",
      "--mute-audio",
      "--disable-gpu",
  };
  if (flags.kind == BrowserKind::headful) {
    arguments.emplace_back("--disable-extensions");
    arguments.emplace_back("--window-position=0,0");
    arguments.emplace_back("--test-type");  // no bar that warns of --no-sandbox takes height away
  }
  if (flags.kind == BrowserKind::headful && !flags.has_screen) {
    arguments.emplace_back("--headless=new");
    arguments.push_back("--screen-info={" + std::to_string(viewport.width) + "x" +
                        std::to_string(viewport.height + bars_height(flags.kind)) + "}");
  }
  if (!flags.own_sandbox) {
    arguments.emplace_back("--no-sandbox");
  }
  if (!flags.has_shared_memory) {
    arguments.emplace_back("--disable-dev-shm-usage");
  }
  arguments.emplace_back("about:blank");
  return arguments;
}

}  // namespace capstan
