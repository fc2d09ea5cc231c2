#include "browser/browsers.h"

#include <unistd.h>

#include <prometheus/histogram.h>

#include "base/log.h"
#include "io/race.h"
#include "io/stream_pair.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t version_bytes_max = 4096;  // one line, in truth

// Where Chromium looks for the screen of this name. In a cage it is the only one.
constexpr const char* screen_name = ":0";
constexpr const char* screen_socket = "/tmp/.X11-unix/X0";

// The socket is there already, and nobody but the cage can reach it, so no cookie is asked for.
// Held keys repeat when the person's own do (ScreenHands): a screen that repeated them by itself
// would do so for as long as anything on the way is slow. 65 s is the longest that it can wait.
std::vector<std::string> xvfb_arguments(PictureSize size) {
  return {screen_name, "-screen",
          "0",         std::to_string(size.width) + "x" + std::to_string(size.height) + "x24",
          "-dpi",      "96",
          "-ac",       "-noreset",
          "-ardelay",  "65535",
          "-nolisten", "tcp",
          "-nolisten", "unix",
          "-nolisten", "local"};
}

std::vector<std::pair<std::string, std::string>> browser_environment(
    const std::filesystem::path& home) {
  return {{"HOME", home.string()},
          {"TMPDIR", home.string()},
          {"PATH", "/usr/bin:/bin"},
          {"LANG", "C.UTF-8"},
          {"DISPLAY", screen_name},  // it is there only for those that have a screen
          {"TZ", "UTC"}};
}

}  // namespace

CageLimits browser_limits() {
  constexpr std::uint64_t mib = std::uint64_t{1} << 20;
  return {.memory_bytes_max = 4096 * mib,
          .processes_max = 1024,  // eight tabs with workers had 137 threads, three blank ones 56
          .home_bytes_max = 1024 * mib,
          .shared_memory_bytes_max = 512 * mib,
          .open_files_max = 8192,
          .file_bytes_max = 4096 * mib};
}

Browsers::Browsers(Executor executor, Clock& clock, Workers& workers, Cage& cage, Metrics& metrics,
                   BrowserSettings settings)
    : executor_(std::move(executor)),
      clock_(clock),
      workers_(workers),
      cage_(cage),
      settings_(std::move(settings)),
      launch_seconds_(metrics.seconds("capstan_browser_launch_seconds",
                                      "Time from starting Chromium until it has a page.")),
      headful_(executor_, clock, "headful browsers", settings_.warm_headful,
               [this] { return launch(BrowserKind::headful); }),
      headless_(executor_, clock, "headless browsers", settings_.warm_headless,
                [this] { return launch(BrowserKind::headless); }) {}

Async<> Browsers::start() {
  auto known = co_await outcome_of(get_to_know_chromium());
  if (!known.ok()) {
    failures_.add_certain(known.error().message());
    log_error("chromium_missing",
              {{"message", known.error().message()}, {"cause", known.error().cause()}});
  }
  headful_.start_refill();
  headless_.start_refill();
}

Async<> Browsers::get_to_know_chromium() {
  version_ = co_await read_version();
  // A launch may fail for many reasons. Only one that fails again with the sandbox, and then
  // succeeds without, says something about the sandbox.
  for (bool own_sandbox : {true, true, false}) {
    if (!own_sandbox && is_strict()) {
      break;  // a cage that is strict lets it have its sandbox, so something else is wrong
    }
    own_sandbox_ = own_sandbox;
    auto tried = co_await outcome_of(start_ready(BrowserKind::headless));
    if (tried.ok()) {
      co_await std::move(tried).take()->close();
      if (!own_sandbox) {
        log_warning("chromium_sandbox_unavailable",
                    {{"mend", "allow unprivileged user namespaces on this machine"}});
      }
      co_return;
    }
    log_warning("browser_trial_failed",
                {{"own_sandbox", own_sandbox}, {"message", tried.error().message()}});
  }
  own_sandbox_ = true;
}

Async<std::string> Browsers::read_version() {
  StreamPair out = make_output_pipe();
  ChildOrder order = this->order(BrowserKind::headless);
  order.command = [this](const Interior& interior) {
    return Command{.program = program(BrowserKind::headless),
                   .arguments = {"--version"},
                   .environment = browser_environment(interior.home)};
  };
  order.descriptors.push_back({1, std::move(out.theirs)});
  auto child = co_await cage_.start(std::move(order));
  Stream stream(executor_, std::move(out.ours));
  std::string text =
      co_await within(clock_, settings_.launch_limit, stream.read_to_end(version_bytes_max),
                      "Chromium did not tell its version in time");
  std::size_t begin = text.find_first_of("0123456789");
  if (begin == std::string::npos) {
    throw Error(ErrorCode::unavailable, "Chromium did not tell its version", text);
  }
  co_return text.substr(begin, text.find_first_not_of("0123456789.", begin) - begin);
}

std::filesystem::path Browsers::program(BrowserKind kind) const {
  std::error_code ignored;
  return std::filesystem::weakly_canonical(
      kind == BrowserKind::headful ? settings_.chromium : settings_.headless_shell, ignored);
}

std::optional<std::string> Browsers::screen_trouble() const {
  if (!is_strict()) {
    return "a screen needs a cage of the level strict";
  }
  if (::access(settings_.xvfb.c_str(), X_OK) != 0) {
    return "there is no " + settings_.xvfb.string();
  }
  return std::nullopt;
}

ChildOrder Browsers::order(BrowserKind kind, Viewport viewport) const {
  ChildOrder order{.kind = CageKind::browser, .limits = settings_.limits, .door_count = 1};
  const bool has_screen = this->has_screen(kind);
  if (has_screen) {
    order.service = Service{.socket = screen_socket,
                            .program = settings_.xvfb,
                            .arguments = xvfb_arguments(screen_size(viewport))};
  }
  order.command = [this, kind, viewport, has_screen](const Interior& interior) {
    return Command{.program = program(kind),
                   .arguments = to_arguments({.kind = kind,
                                              .viewport = viewport,
                                              .has_screen = has_screen,
                                              .profile_folder = interior.home / "profile",
                                              .user_agent = user_agent(version_),
                                              .proxy = interior.doors.front(),
                                              .own_sandbox = own_sandbox_,
                                              .has_shared_memory = is_strict()}),
                   .environment = browser_environment(interior.home)};
  };
  order.readable.push_back(program(kind).parent_path());
  return order;
}

Async<std::unique_ptr<Browser>> Browsers::start_process(BrowserKind kind, Viewport viewport) {
  StreamPair commands = make_input_pipe();
  StreamPair answers = make_output_pipe();
  ChildOrder order = this->order(kind, viewport);
  order.descriptors.push_back({3, std::move(commands.theirs)});
  order.descriptors.push_back({4, std::move(answers.theirs)});
  std::unique_ptr<Child> child = co_await cage_.start(std::move(order));
  auto devtools =
      std::make_unique<DevTools>(executor_, clock_, Stream(executor_, std::move(commands.ours)),
                                 Stream(executor_, std::move(answers.ours)), devtools_accounts_);
  co_return std::make_unique<Browser>(executor_, clock_, workers_, kind, viewport, std::move(child),
                                      std::move(devtools));
}

Async<std::unique_ptr<Browser>> Browsers::start_ready(BrowserKind kind, Viewport viewport) {
  std::unique_ptr<Browser> browser = co_await start_process(kind, viewport);
  auto ready = co_await outcome_of(browser->become_ready(settings_.launch_limit));
  if (!ready.ok()) {
    co_await browser->close();
    throw Error(ready.error());
  }
  co_return browser;
}

Async<std::unique_ptr<Browser>> Browsers::launch(BrowserKind kind, Viewport viewport) {
  if (version_.empty()) {
    // It was missing when the server started.
    auto known = co_await outcome_of(get_to_know_chromium());
  }
  SteadyTime begin = clock_.now();
  auto browser = co_await outcome_of(start_ready(kind, viewport));
  if (!browser.ok()) {
    const std::string& message = browser.error().message();
    const std::string& cause = browser.error().cause();
    log_warning("browser_launch_failed",
                {{"kind", to_text(kind)}, {"message", message}, {"cause", cause}});
    failures_.add(message);
    throw Error(ErrorCode::unavailable, "no browser could be started: " + message, cause);
  }
  failures_.end();
  std::chrono::duration<double> took = clock_.now() - begin;
  launch_seconds_.Observe(took.count());
  log_info("browser_ready",
           {{"kind", to_text(kind)}, {"after_ms", static_cast<int>(took.count() * 1000)}});
  co_return std::move(browser).take();
}

std::optional<std::string> Browsers::trouble() const {
  auto unsafe = shortfall(cage_.isolation(CageKind::browser), settings_.isolation_min);
  return unsafe ? unsafe : failures_.trouble();
}

Async<std::unique_ptr<Browser>> Browsers::take(BrowserKind kind, Viewport viewport) {
  if (auto unsafe = shortfall(cage_.isolation(CageKind::browser), settings_.isolation_min)) {
    throw Error(ErrorCode::unavailable, "browsers are not started: " + *unsafe);
  }
  if (viewport != Viewport() && has_screen(kind)) {
    co_return co_await launch(kind, viewport);
  }
  co_return co_await pool(kind).take();
}

Async<> Browsers::close() {
  co_await headful_.close();
  co_await headless_.close();
}

}  // namespace capstan
