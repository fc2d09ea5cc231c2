#include "app/checkup.h"

#include <sys/mman.h>

#include "io/race.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

constexpr auto page_limit = 20s;
constexpr auto page_look_interval = 20ms;
constexpr std::string_view page_url = "data:text/html,<title>Capstan</title>";

std::string took_ms(SteadyTime begin, SteadyTime end) {
  auto ms = std::chrono::round<std::chrono::milliseconds>(end - begin);
  return std::to_string(ms.count()) + " ms";
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) {
    text += (text.empty() ? "" : ", ") + part;
  }
  return text;
}

// What went wrong with a program, which is named once.
std::string trouble_of(const std::string& program, const std::string& message) {
  return message.find(program) != std::string::npos ? message : program + ": " + message;
}

}  // namespace

Checkup::Checkup(Executor executor, const Config& config)
    : config_(config),
      work_folder_(config_.server.temporary_folder, workers_),
      cage_(executor, work_folder_),
      runtime_{.runner_folder = find_runner_folder(config_), .compile_cache = {}},
      browsers_(executor, clock_, workers_, cage_, metrics_,
                BrowserSettings{.chromium = config_.browser.chromium,
                                .headless_shell = config_.browser.headless_shell,
                                .xvfb = config_.browser.xvfb,
                                .warm_headful = 0,
                                .warm_headless = 0}),
      runners_(executor, clock_, cage_, runtime_, metrics_, {.warm = 0}) {}

Async<std::vector<Finding>> Checkup::run() {
  std::vector<Finding> findings;
  co_await cage_.find_levels(parse_isolation_level(config_.isolation.maximum).value());
  co_await browsers_.start();
  findings.push_back(
      co_await try_browser(BrowserKind::headful, "browser.chromium", config_.browser.chromium));
  findings.push_back(co_await try_browser(BrowserKind::headless, "browser.headless_shell",
                                          config_.browser.headless_shell));
  findings.push_back(check_sandbox());
  findings.push_back(check_screens());
  findings.push_back(co_await try_encoder());
  findings.push_back(co_await try_runner());
  findings.push_back(check_isolation(CageKind::task));
  findings.push_back(check_isolation(CageKind::browser));
  co_await runners_.close();
  co_await browsers_.close();
  co_await cage_.close();
  co_return findings;
}

Async<Finding> Checkup::try_browser(BrowserKind kind, std::string setting, std::string program) {
  std::string what = std::string(to_text(kind)) + " browser";
  SteadyTime begin = clock_.now();
  auto opened = co_await outcome_of(open_page(kind));
  if (!opened.ok()) {
    co_return Finding{Verdict::fail, what, trouble_of(program, opened.error().message()),
                      "apt-get install chromium chromium-headless-shell, or set " + setting};
  }
  co_return Finding{Verdict::ok, what,
                    opened.value() + " opened a page within " + took_ms(begin, clock_.now()), ""};
}

// Returns what the browser calls itself.
Async<std::string> Checkup::open_page(BrowserKind kind) {
  std::unique_ptr<Browser> browser = co_await browsers_.take(kind);
  auto opened = co_await outcome_of(
      within(clock_, page_limit, show_page(browser.get()), "it did not open a page in time"));
  std::string product = browser->product();
  co_await browser->close();
  std::move(opened).take();
  co_return product;
}

Async<> Checkup::show_page(Browser* browser) {
  co_await browser->open(std::string(page_url));
  // The browser's list of pages lags behind the page itself.
  for (std::string url; url != page_url;) {
    co_await clock_.sleep(page_look_interval);
    std::vector<PageInfo> pages = co_await browser->pages();
    url = pages.empty() ? "" : pages.front().url;
  }
}

Finding Checkup::check_sandbox() const {
  if (browsers_.version().empty()) {
    return {Verdict::warn, "browser sandbox", "not known without a browser", "mend that first"};
  }
  if (browsers_.own_sandbox()) {
    return {Verdict::ok, "browser sandbox", "Chromium's own sandbox works", ""};
  }
  return {Verdict::warn, "browser sandbox", "off: this machine does not let Chromium have it",
          "sysctl -w kernel.unprivileged_userns_clone=1; in a container, allow user namespaces"};
}

Finding Checkup::check_screens() const {
  if (auto trouble = browsers_.screen_trouble()) {
    return {Verdict::warn, "screens",
            *trouble + "; headful browsers run without showing their windows",
            "mend what keeps isolation from strict; apt-get install xvfb x11-xkb-utils, or set "
            "browser.xvfb"};
  }
  return {Verdict::ok, "screens", "headful browsers have one of their own", ""};
}

Async<Finding> Checkup::try_encoder() {
  const VideoSettings settings{.ffmpeg = config_.recordings.ffmpeg};
  const I420Frame frame({.width = 64, .height = 64});
  SteadyTime begin = clock_.now();
  auto encoded = co_await outcome_of(encode_one(&frame, settings));
  if (!encoded.ok()) {
    co_return Finding{
        Verdict::warn, "recordings",
        trouble_of(settings.ffmpeg.string(), encoded.error().message()) + "; nothing is recorded",
        "apt-get install ffmpeg, or set recordings.ffmpeg"};
  }
  co_return Finding{Verdict::ok, "recordings",
                    "ffmpeg encoded a picture within " + took_ms(begin, clock_.now()), ""};
}

Async<> Checkup::encode_one(const I420Frame* frame, VideoSettings settings) {
  Fd file(::memfd_create("capstan-checkup", MFD_CLOEXEC));
  auto encoder = co_await VideoEncoder::start(co_await asio::this_coro::executor, &cage_,
                                              std::move(settings), std::move(file), frame->size());
  co_await within(clock_, page_limit, encoder->write(frame, Duration(0)),
                  "the encoder takes no picture");
  co_await within(clock_, page_limit, encoder->finish(), "the encoder does not end");
}

Async<Finding> Checkup::try_runner() {
  if (std::string trouble = runtime_.trouble(); !trouble.empty()) {
    co_return Finding{Verdict::fail, "runner", trouble, "./dev build, or set runner.folder"};
  }
  SteadyTime begin = clock_.now();
  auto started = co_await outcome_of(start_runner());
  if (!started.ok()) {
    co_return Finding{Verdict::fail, "runner",
                      trouble_of(runtime_.node().string(), started.error().message()),
                      "./dev build builds " + runtime_.runner_folder.string() + " anew"};
  }
  co_return Finding{Verdict::ok, "runner",
                    "Node loaded all that tasks import within " + took_ms(begin, clock_.now()), ""};
}

Async<> Checkup::start_runner() {
  std::unique_ptr<Runner> runner = co_await runners_.take();
  co_await runner->close();
}

Finding Checkup::check_isolation(CageKind kind) const {
  const Isolation& isolation = cage_.isolation(kind);
  std::string what = "isolation of " + std::string(to_text(kind)) + "s";
  std::string found(to_text(isolation.level));
  if (!isolation.reasons.empty()) {
    found += ": " + joined(isolation.reasons);
  }
  if (isolation.level < parse_isolation_level(config_.isolation.minimum)) {
    return {Verdict::fail, what,
            found + "; they are not started below " + config_.isolation.minimum,
            "run the server as root, or allow unprivileged user namespaces; or set "
            "isolation.minimum to what this machine gives, if you trust the code"};
  }
  if (isolation.level == IsolationLevel::strict) {
    return {Verdict::ok, what, found, ""};
  }
  return {Verdict::warn, what, found,
          "run only what you trust that far; docs/guide/security.md says what holds"};
}

}  // namespace capstan
