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

struct BrowserSettings {
  // The binaries themselves: Debian's wrapper scripts can't be supervised.
  std::filesystem::path chromium = "/usr/lib/chromium/chromium";
  std::filesystem::path headless_shell = "/usr/lib/chromium/chromium-headless-shell";
  std::size_t warm_headful = 1;
  std::size_t warm_headless = 1;
  std::chrono::seconds launch_limit{30};
};

// Starts browsers, and keeps a few of each kind running ahead of being asked for. Owned by App.
class Browsers {
 public:
  Browsers(Executor executor, Clock& clock, Cage& cage, WorkFolder& work_folder, Metrics& metrics,
           BrowserSettings settings);

  // Learns the version and whether Chromium's own sandbox works here, and begins to warm up.
  Async<> start();

  // A browser with one blank page at the default viewport: a warm one, else a new one. Throws
  // unavailable with the reason when none can be started.
  Async<std::unique_ptr<Browser>> take(BrowserKind kind);

  // Version of the installed Chromium, "156.0.8078.79"; empty if there is none.
  const std::string& version() const { return version_; }
  // Why browsers can't be started at the moment, after three failures in a row.
  std::optional<std::string> trouble() const { return failures_.trouble(); }
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
  Async<std::unique_ptr<Browser>> launch(BrowserKind kind);
  Async<std::unique_ptr<Browser>> start_ready(BrowserKind kind);
  Async<std::unique_ptr<Browser>> start_process(BrowserKind kind);

  Executor executor_;
  Clock& clock_;
  Cage& cage_;
  const BrowserSettings settings_;
  WorkFolder& work_folder_;
  prometheus::Histogram& launch_seconds_;
  std::string version_;
  bool own_sandbox_ = true;
  bool small_shared_memory_ = false;
  std::uint32_t next_user_ = 0;
  FailureStreak failures_;
  WarmPool<Browser> headful_;
  WarmPool<Browser> headless_;
};

}  // namespace capstan
