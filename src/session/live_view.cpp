#include "session/live_view.h"

#include <algorithm>

#include "display/display.h"
#include "display/hands.h"
#include "display/jpeg.h"
#include "display/screencast.h"
#include "io/race.h"
#include "session/live_viewer.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

constexpr int thumbnail_width = 320;
constexpr int thumbnail_quality = 70;
constexpr auto thumbnail_interval = 1s;
constexpr auto thumbnail_renewal = 200ms;
constexpr auto thumbnail_patience = 2s;

}  // namespace

LiveView::LiveView(Executor executor, Clock& clock, Workers& workers, Browser& browser,
                   PageWatch& pages, std::string session, LiveViewLimits limits)
    : executor_(executor),
      clock_(clock),
      workers_(workers),
      browser_(browser),
      session_(std::move(session)),
      limits_(limits),
      pages_(pages) {}

void LiveView::notice(const PageEvent& event) {
  switch (event.kind) {
    case PageEvent::Kind::tabs:
      return tell_tabs(nullptr);
    case PageEvent::Kind::dialog:
      return tell_dialog(nullptr);
    case PageEvent::Kind::file_chooser:
      return tell_file_chooser(nullptr);
    case PageEvent::Kind::navigated:
      if (!pages_.is_shown(event.target)) {
        return;
      }
      return tell(nullptr, {{"type", "navigation"}, {"url", event.text}, {"title", event.title}});
    case PageEvent::Kind::opened:
    case PageEvent::Kind::closed:
    case PageEvent::Kind::shown:
    case PageEvent::Kind::console_error:
      return;
  }
}

bool LiveView::is_driven_by(const std::string& viewer) const {
  return driver_ != nullptr && driver_->id() == viewer;
}

// Who comes again has a place, and drives on. The last one is for somebody who may drive.
void LiveView::make_place(LiveRole role, const std::string& viewer) {
  auto same = std::find_if(viewers_.begin(), viewers_.end(),
                           [&](const LiveViewer* other) { return other->id() == viewer; });
  if (same != viewers_.end()) {
    (*same)->replace();
    if (driver_ == *same) {
      browser_.hands().release();
      driver_ = nullptr;
    }
    viewers_.erase(same);
    return;
  }
  const std::size_t places = limits_.viewers_max - (role == LiveRole::control ? 0 : 1);
  if (viewers_.size() >= places) {
    throw Error(ErrorCode::resource_exhausted, "this session has as many viewers as it may have");
  }
}

Async<> LiveView::serve(WebSocket* socket, LiveRole role, std::string id) {
  make_place(role, id);
  LiveViewer viewer(*this, *socket, role, std::move(id));
  struct Presence {
    LiveView* view;
    LiveViewer* viewer;
    ~Presence() { view->leave(viewer); }
  } presence{this, &viewer};
  enter(&viewer);
  co_await viewer.live();
}

void LiveView::enter(LiveViewer* viewer) {
  viewers_.push_back(viewer);
  if (driver_ == nullptr && viewer->role() == LiveRole::control) {
    driver_ = viewer;
  }
  attend_pages();
  viewer->tell({{"type", "hello"},
                {"role", to_text(viewer->role())},
                {"kind", browser_.has_screen() ? "headful" : "headless"},
                {"driving", driver_ == viewer},
                {"viewers", viewers_.size()},
                {"session_id", session_}});
  tell_viewers();
  tell_tabs(viewer);
  tell_dialog(viewer);
  tell_file_chooser(viewer);
}

void LiveView::leave(LiveViewer* viewer) {
  if (viewers_.remove(viewer) == 0) {
    return;  // it was replaced
  }
  const bool drove = driver_ == viewer;
  if (drove) {
    browser_.hands().release();
    auto next = std::find_if(viewers_.begin(), viewers_.end(), [](const LiveViewer* other) {
      return other->role() == LiveRole::control;
    });
    driver_ = next != viewers_.end() ? *next : nullptr;
  }
  attend_pages();
  tell_viewers();
  if (drove && driver_ != nullptr) {
    tell_file_chooser(driver_);
  }
}

void LiveView::drive(LiveViewer* viewer) {
  // What one that was replaced has sent may come late.
  bool is_here = std::find(viewers_.begin(), viewers_.end(), viewer) != viewers_.end();
  if (is_here && driver_ != viewer) {
    browser_.hands().release();
    driver_ = viewer;
    tell_viewers();
    tell_file_chooser(driver_);
  }
}

void LiveView::attend_pages() {
  if (driver_ != nullptr) {
    pages_.start();
  }
  pages_.attend(driver_ != nullptr);
}

// One viewer, or all.
void LiveView::tell(LiveViewer* viewer, const json::object& message) {
  if (viewer != nullptr) {
    viewer->tell(message);
    return;
  }
  for (LiveViewer* each : viewers_) {
    each->tell(message);
  }
}

void LiveView::tell_viewers() {
  for (LiveViewer* viewer : viewers_) {
    viewer->tell(
        {{"type", "viewers"}, {"viewers", viewers_.size()}, {"driving", driver_ == viewer}});
  }
}

void LiveView::tell_tabs(LiveViewer* viewer) {
  const Screencast* pages = browser_.screencast();
  if (pages == nullptr) {
    return;
  }
  json::array tabs;
  for (const PageInfo& page : pages->pages()) {
    tabs.push_back(json::object{{"id", page.target_id},
                                {"title", page.title},
                                {"url", page.url},
                                {"active", page.target_id == pages->shown()}});
  }
  tell(viewer, {{"type", "tabs"}, {"tabs", std::move(tabs)}});
}

void LiveView::tell_dialog(LiveViewer* viewer) {
  if (const PageWatch::Dialog* dialog = pages_.dialog()) {
    tell(viewer, {{"type", "dialog"},
                  {"kind", dialog->kind},
                  {"message", dialog->message},
                  {"default_text", dialog->default_text}});
  } else if (viewer == nullptr) {
    tell(nullptr, {{"type", "dialog_closed"}});
  }
}

void LiveView::tell_file_chooser(LiveViewer* viewer) {
  const auto& chooser = pages_.file_chooser();
  std::string id = chooser ? chooser->id() : "";
  if (viewer == nullptr && !told_chooser_.empty() && told_chooser_ != id) {
    tell(nullptr, {{"type", "file_chooser_closed"}, {"id", told_chooser_}});
  }
  told_chooser_ = id;
  if (chooser) {
    tell(viewer, {{"type", "file_chooser"}, {"id", id}, {"multiple", chooser->takes_several()}});
  }
}

void LiveView::show_tab(const std::string& id) {
  if (Screencast* pages = browser_.screencast()) {
    pages->show(id);
  }
}

Async<std::shared_ptr<const std::string>> LiveView::encode(Area area, int quality) {
  Display& display = *browser_.display();
  Semaphore::Permit still = co_await display.hold();
  const SteadyTime taken_at = display.taken_at();
  bool is_same = last_encoded_.jpeg && last_encoded_.taken_at == taken_at &&
                 last_encoded_.area == area && last_encoded_.quality == quality;
  if (!is_same) {
    std::string jpeg = co_await workers_.run([picture = &display.picture(), area, quality] {
      return encode_jpeg(*picture, area, quality);
    });
    last_encoded_ = {.taken_at = taken_at,
                     .area = area,
                     .quality = quality,
                     .jpeg = std::make_shared<const std::string>(std::move(jpeg))};
  }
  co_return last_encoded_.jpeg;
}

Async<std::shared_ptr<const std::string>> LiveView::thumbnail() {
  Display& display = *browser_.display();
  Display::Look look(display, thumbnail_interval);
  co_await within(clock_, thumbnail_patience, look.changed(), "the browser shows nothing yet");
  if (clock_.now() - display.taken_at() > thumbnail_interval) {
    look.take_change();  // nobody looked meanwhile, so there may be something newer
    std::vector<Async<>> either;
    either.push_back(look.changed());
    either.push_back(clock_.sleep(thumbnail_renewal));
    co_await first_of(std::move(either));
  }
  Semaphore::Permit still = co_await display.hold();
  const SteadyTime taken_at = display.taken_at();
  if (!thumbnail_.jpeg || thumbnail_.taken_at != taken_at) {
    std::string jpeg = co_await workers_.run([picture = &display.picture()] {
      return encode_thumbnail(*picture, thumbnail_width, thumbnail_quality);
    });
    thumbnail_ = {.taken_at = taken_at,
                  .area = whole(display.picture().size()),
                  .quality = thumbnail_quality,
                  .jpeg = std::make_shared<const std::string>(std::move(jpeg))};
  }
  co_return thumbnail_.jpeg;
}

}  // namespace capstan
