#include "browser/browsers.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include <prometheus/histogram.h>

#include "base/log.h"
#include "io/race.h"
#include "io/stream_pair.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

// As root, each browser gets a user of its own, so that none can touch another's files or
// processes. The range is above what systems hand out to people.
constexpr std::uint32_t first_user = 200'000;
constexpr std::uint32_t user_count = 60'000;
// Chromium puts its shared bitmaps into /dev/shm and crashes when it is full.
constexpr std::uint64_t shared_memory_enough = std::uint64_t{512} << 20;
constexpr std::size_t version_bytes_max = 4096;  // one line, in truth

bool is_shared_memory_small() {
  struct statvfs status{};
  return ::statvfs("/dev/shm", &status) != 0 ||
         status.f_blocks * status.f_frsize < shared_memory_enough;
}

std::vector<std::pair<std::string, std::string>> browser_environment(
    const std::filesystem::path& home) {
  return {{"HOME", home.string()},
          {"TMPDIR", home.string()},
          {"PATH", "/usr/bin:/bin"},
          {"LANG", "C.UTF-8"},
          {"TZ", "UTC"}};
}

}  // namespace

Browsers::Browsers(Executor executor, Clock& clock, Cage& cage, WorkFolder& work_folder,
                   Metrics& metrics, BrowserSettings settings)
    : executor_(std::move(executor)),
      clock_(clock),
      cage_(cage),
      settings_(std::move(settings)),
      work_folder_(work_folder),
      launch_seconds_(metrics.seconds("capstan_browser_launch_seconds",
                                      "Time from starting Chromium until it has a page.")),
      small_shared_memory_(is_shared_memory_small()),
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
  ChildOrder order{.program = settings_.headless_shell, .arguments = {"--version"}};
  order.environment = browser_environment("/tmp");
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

Async<std::unique_ptr<Browser>> Browsers::start_process(BrowserKind kind) {
  std::optional<UserId> user;
  if (::geteuid() == 0) {
    std::uint32_t id = first_user + next_user_++ % user_count;
    user = UserId{id, id};
  }
  std::filesystem::path profile =
      user ? work_folder_.make_for_user("b-", user->user) : work_folder_.make("b-");
  StreamPair commands = make_input_pipe();
  StreamPair answers = make_output_pipe();
  ChildOrder order{
      .program = kind == BrowserKind::headful ? settings_.chromium : settings_.headless_shell,
      .arguments = to_arguments({.kind = kind,
                                 .profile_folder = profile,
                                 .user_agent = user_agent(version_),
                                 .own_sandbox = own_sandbox_,
                                 .small_shared_memory = small_shared_memory_}),
      .environment = browser_environment(profile),
      .working_folder = profile,
      // Chromium keeps many files open; a download or cache file may be large.
      .limits = {.open_files_max = 8192, .file_bytes_max = std::uint64_t{4} << 30},
      .run_as = user,
  };
  order.descriptors.push_back({3, std::move(commands.theirs)});
  order.descriptors.push_back({4, std::move(answers.theirs)});
  auto child = co_await outcome_of(cage_.start(std::move(order)));
  if (!child.ok()) {
    co_await work_folder_.remove(profile);
    throw Error(child.error());
  }
  auto devtools =
      std::make_unique<DevTools>(executor_, clock_, Stream(executor_, std::move(commands.ours)),
                                 Stream(executor_, std::move(answers.ours)), DevToolsLimits{});
  co_return std::make_unique<Browser>(executor_, clock_, work_folder_, kind, std::move(profile),
                                      std::move(child).take(), std::move(devtools));
}

Async<std::unique_ptr<Browser>> Browsers::start_ready(BrowserKind kind) {
  std::unique_ptr<Browser> browser = co_await start_process(kind);
  auto ready = co_await outcome_of(browser->become_ready(settings_.launch_limit));
  if (!ready.ok()) {
    co_await browser->close();
    throw Error(ready.error());
  }
  co_return browser;
}

Async<std::unique_ptr<Browser>> Browsers::launch(BrowserKind kind) {
  if (version_.empty()) {
    // It was missing when the server started.
    auto known = co_await outcome_of(get_to_know_chromium());
  }
  SteadyTime begin = clock_.now();
  auto browser = co_await outcome_of(start_ready(kind));
  if (!browser.ok()) {
    std::string message = browser.error().message();
    log_warning("browser_launch_failed", {{"kind", to_text(kind)}, {"message", message}});
    failures_.add(message);
    throw Error(ErrorCode::unavailable, "no browser could be started: " + message);
  }
  failures_.end();
  std::chrono::duration<double> took = clock_.now() - begin;
  launch_seconds_.Observe(took.count());
  log_info("browser_ready",
           {{"kind", to_text(kind)}, {"after_ms", static_cast<int>(took.count() * 1000)}});
  co_return std::move(browser).take();
}

Async<std::unique_ptr<Browser>> Browsers::take(BrowserKind kind) {
  co_return co_await pool(kind).take();
}

Async<> Browsers::close() {
  co_await headful_.close();
  co_await headless_.close();
}

}  // namespace capstan
