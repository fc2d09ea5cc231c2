#include "browser/browser.h"

#include "base/json.h"
#include "base/log.h"
#include "display/display.h"
#include "display/page_hands.h"
#include "display/screen_hands.h"
#include "display/screencast.h"
#include "display/x11_screen.h"
#include "io/race.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

constexpr auto quit_patience = 1s;

// Whether the message says that the page's main frame shows another document.
bool tells_of_navigation(const json::object& message) {
  if (text_at(message, "method") != "Page.frameNavigated") {
    return false;
  }
  return !message.at("params").at("frame").as_object().contains("parentId");
}

std::string command(int id, std::string_view method, json::object params) {
  return json::serialize(
      json::object{{"id", id}, {"method", method}, {"params", std::move(params)}});
}

// Whether the message is the answer that there will be no other document: a download, say, or a
// response without a body. (Where a page can't be reached, a document comes that says so.)
bool tells_of_abortion(const json::object& message) {
  const json::value* result = message.if_contains("result");
  return message.contains("error") ||
         (result != nullptr && text_at(result->as_object(), "errorText") == "net::ERR_ABORTED");
}

// Whether the message is the answer to the command with this id.
bool answers(const json::object& message, int id) {
  const json::value* answered = message.if_contains("id");
  return answered != nullptr && *answered == id;
}

// A document that shows a dialog is there, and answers nothing until that is gone.
bool tells_of_dialog(const json::object& message) {
  return text_at(message, "method") == "Page.javascriptDialogOpening";
}

// Gives a command and waits for its answer, whatever else the page says meanwhile.
Async<> command_page(Party* page, int id, std::string_view method) {
  co_await page->send(command(id, method, {}));
  while (auto text = co_await page->receive()) {
    if (answers(json::parse(*text).as_object(), id)) {
      co_return;
    }
  }
  throw Error(ErrorCode::unavailable, "the page has gone");
}

// Chromium answers Page.navigate before the new document is there, so the event is waited for. A
// page whose renderer is still starting sends events only once it has answered Page.enable, and a
// short document may be there before that.
Async<> navigate(Party* page, std::string url) {
  co_await command_page(page, 1, "Page.enable");
  co_await page->send(command(2, "Page.navigate", {{"url", std::move(url)}}));
  while (auto text = co_await page->receive()) {
    json::value message = json::parse(*text);
    if (tells_of_navigation(message.as_object())) {
      // The page tells earlier than the browser's list of pages does; by its next answer both do.
      co_await page->send(command(3, "Page.getFrameTree", {}));
    }
    if (answers(message.as_object(), 3) || tells_of_dialog(message.as_object())) {
      co_return;
    }
    if (tells_of_abortion(message.as_object())) {
      throw Error(ErrorCode::unavailable, "the address has no page to show");
    }
  }
  throw Error(ErrorCode::unavailable, "the page has gone");
}

// Chromium begins with the focus in its address bar, and no window manager gives the keyboard to
// its window.
Async<> take_keyboard(DevTools* devtools, std::string target_id) {
  std::unique_ptr<Party> page = co_await devtools->join_target(std::move(target_id));
  co_await command_page(page.get(), 1, "Page.bringToFront");
}

}  // namespace

Browser::Browser(Executor executor, Clock& clock, Workers& workers, BrowserKind kind,
                 Viewport viewport, std::unique_ptr<Child> child,
                 std::unique_ptr<DevTools> devtools)
    : executor_(executor),
      clock_(clock),
      workers_(workers),
      kind_(kind),
      child_(std::move(child)),
      devtools_(std::move(devtools)),
      viewport_(viewport),
      gone_(executor),
      scope_(executor, "browser") {
  if (Fd screen = child_->take_service()) {
    auto picture = std::make_unique<Picture>(screen_size(viewport));
    auto source = std::make_unique<X11Screen>(executor, clock, std::move(screen), *picture);
    screen_ = source.get();
    hands_ = std::make_unique<ScreenHands>(clock, *screen_);
    display_ = std::make_unique<Display>(executor, clock, std::move(picture), std::move(source));
  }
  scope_.spawn(live());
}

Browser::~Browser() = default;

Async<> Browser::live() {
  auto outcome = co_await outcome_of(devtools_->live());
  if (!outcome.ok() && outcome.error().code() != ErrorCode::cancelled) {
    log_warning("browser_confused", {{"message", outcome.error().message()}});
  }
  const bool lost_screen = display_ != nullptr && display_->has_ended();  // and ended for that
  auto exit = co_await outcome_of(within(clock_, quit_patience, child_->wait(),
                                         "the browser has closed its pipe and lives on"));
  has_quit_ = outcome.ok() && !lost_screen && exit.ok() && exit.value().code == 0 &&
              exit.value().signal == 0;
  child_->kill();
  gone_.set();
}

Async<> Browser::become_ready(Duration limit) {
  if (screen_ != nullptr) {
    co_await within(clock_, limit, screen_->ready(), "the display was not ready in time");
  }
  json::object version = co_await within(clock_, limit, devtools_->call("Browser.getVersion"),
                                         "Chromium did not answer in time");
  product_ = text_at(version, "product").value_or("");
  std::vector<PageInfo> open = co_await pages();
  if (open.empty()) {
    throw Error(ErrorCode::unavailable, "Chromium started without a page");
  }
  first_page_ = open.front().target_id;
  if (screen_ != nullptr) {
    co_await within(clock_, limit, take_keyboard(devtools_.get(), first_page_),
                    "Chromium did not show its page in time");
  }
}

Async<std::vector<PageInfo>> Browser::pages() {
  json::object result = co_await within(clock_, 10s, devtools_->call("Target.getTargets"),
                                        "the browser did not list its pages in time");
  std::vector<PageInfo> pages;
  for (const json::value& item : result.at("targetInfos").as_array()) {
    if (auto page = page_info_in(item.as_object())) {
      pages.push_back(std::move(*page));
    }
  }
  co_return pages;
}

void Browser::show_pages() {
  auto even = [](int side) { return (side + 1) / 2 * 2; };
  auto picture = std::make_unique<Picture>(
      PictureSize{.width = even(viewport_.width), .height = even(viewport_.height)});
  auto source = std::make_unique<Screencast>(executor_, clock_, workers_, *devtools_, *picture);
  screencast_ = source.get();
  hands_ = std::make_unique<PageHands>(*screencast_);
  display_ = std::make_unique<Display>(executor_, clock_, std::move(picture), std::move(source));
}

Async<> Browser::resize(Viewport viewport) {
  if (viewport != viewport_) {
    co_await set_window_size(viewport);
  }
  if (!display_) {
    show_pages();
  }
}

Async<> Browser::set_window_size(Viewport viewport) {
  json::object window = co_await within(
      clock_, 10s,
      devtools_->call("Browser.getWindowForTarget", json::object{{"targetId", first_page_}}),
      "the browser did not tell its window in time");
  json::object bounds{{"width", viewport.width}, {"height", viewport.height + bars_height(kind_)}};
  json::object change{{"windowId", window.at("windowId")}, {"bounds", std::move(bounds)}};
  co_await within(clock_, 10s, devtools_->call("Browser.setWindowBounds", std::move(change)),
                  "the browser did not resize its window in time");
  viewport_ = viewport;
}

Async<> Browser::open(std::string url) {
  std::unique_ptr<Party> page = co_await devtools_->join_target(first_page_);
  auto opened = co_await outcome_of(
      within(clock_, 30s, navigate(page.get(), std::move(url)), "the page did not answer in time"));
  if (!opened.ok()) {
    // The session is usable all the same: the page shows what came, as for any other visitor.
    log_info("initial_url_failed", {{"message", opened.error().message()}});
  }
}

Async<> Browser::close() {
  child_->kill();
  if (display_) {
    co_await display_->close();
  }
  co_await child_->gone();
  co_await scope_.close();
}

}  // namespace capstan
