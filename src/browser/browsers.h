#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/failure_streak.h"
#include "base/metrics.h"
#include "browser/browser.h"
#include "io/warm_pool.h"

namespace capstan {

// What Chromium needs: many files and threads, and shared memory for its bitmaps.
CageLimits browser_limits();

struct BrowserSettings {
  // The binaries themselves: Debian's wrapper scripts can't be supervised.
  std::filesystem::path chromium = "/usr/lib/chromium/chromium";
  std::filesystem::path headless_shell = "/usr/lib/chromium/chromium-headless-shell";
  std::filesystem::path xvfb = "/usr/bin/Xvfb";
  std::size_t warm_headful = 1;
  std::size_t warm_headless = 1;
  std::chrono::seconds launch_limit{30};
  CageLimits limits = browser_limits();
  // Below this level of isolation no browser is started.
  IsolationLevel isolation_min = IsolationLevel::none;
};

// Starts browsers, and keeps a few of each kind running ahead of being asked for. Owned by App.
class Browsers {
 public:
  Browsers(Executor executor, Clock& clock, Workers& workers, Cage& cage, Metrics& metrics,
           BrowserSettings settings);

  // Learns the version and whether Chromium's own sandbox works here, and begins to warm up.
  Async<> start();

  // A browser with one blank page of this size: a warm one, else a new one, as it always is for a
  // headful browser with a screen of another size than the default. Throws unavailable with the
  // reason when none can be started.
  Async<std::unique_ptr<Browser>> take(BrowserKind kind, Viewport viewport = {});

  // Why headful browsers have no screen here; nothing if they have one.
  std::optional<std::string> screen_trouble() const;

  // Version of the installed Chromium, "156.0.8078.79"; empty if there is none.
  const std::string& version() const { return version_; }
  // Why browsers can't be started at the moment: after three failures in a row, or because the
  // machine doesn't isolate them well enough.
  std::optional<std::string> trouble() const;
  // Whether renderers run in Chromium's own sandbox.
  bool own_sandbox() const { return own_sandbox_; }
  std::size_t warm_count() const { return headful_.ready_count() + headless_.ready_count(); }

  Async<> close();

 private:
  WarmPool<Browser>& pool(BrowserKind kind) {
    return kind == BrowserKind::headful ? headful_ : headless_;
  }
  Async<std::string> read_version();
  // Its version, and whether its sandbox works here. Throws when there is no Chromium.
  Async<> get_to_know_chromium();
  std::filesystem::path program(BrowserKind kind) const;
  ChildOrder order(BrowserKind kind, Viewport viewport = {}) const;
  bool is_strict() const {
    return cage_.isolation(CageKind::browser).level == IsolationLevel::strict;
  }
  bool has_screen(BrowserKind kind) const {
    return kind == BrowserKind::headful && !screen_trouble();
  }
  Async<std::unique_ptr<Browser>> launch(BrowserKind kind, Viewport viewport = {});
  Async<std::unique_ptr<Browser>> start_ready(BrowserKind kind, Viewport viewport = {});
  Async<std::unique_ptr<Browser>> start_process(BrowserKind kind, Viewport viewport);

  Executor executor_;
  Clock& clock_;
  Workers& workers_;
  Cage& cage_;
  const BrowserSettings settings_;
  prometheus::Histogram& launch_seconds_;
  DevToolsAccounts devtools_accounts_;
  std::string version_;
  bool own_sandbox_ = true;
  FailureStreak failures_;
  WarmPool<Browser> headful_;
  WarmPool<Browser> headless_;
};

}  // namespace capstan
