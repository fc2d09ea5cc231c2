#include "session/live_view.h"

#include <algorithm>

#include "display/display.h"
#include "display/hands.h"
#include "display/jpeg.h"
#include "display/screencast.h"
#include "session/live_viewer.h"

namespace capstan {

LiveView::LiveView(Executor executor, Clock& clock, Workers& workers, Browser& browser,
                   std::string session, LiveViewLimits limits)
    : executor_(executor),
      clock_(clock),
      workers_(workers),
      browser_(browser),
      session_(std::move(session)),
      limits_(limits),
      pages_(executor, clock, browser.devtools(),
             {.dialog_changed = [this] { tell_dialog(nullptr); },
              .shown =
                  [this] {
                    const Screencast* pages = browser_.screencast();
                    return pages != nullptr ? pages->shown() : std::string();
                  },
              .navigated =
                  [this](std::string url, std::string title) {
                    tell_all({{"type", "navigation"}, {"url", url}, {"title", title}});
                  }}),
      scope_(executor, "live view") {
  if (Screencast* pages = browser_.screencast()) {
    pages->on_pages([this] { tell_tabs(nullptr); });
  }
}

LiveView::~LiveView() {
  if (Screencast* pages = browser_.screencast()) {
    pages->on_pages(nullptr);
  }
}

Async<> LiveView::close() { co_await scope_.close(); }

Async<> LiveView::serve(WebSocket* socket, LiveRole role) {
  if (viewers_.size() >= limits_.viewers_max) {
    throw Error(ErrorCode::resource_exhausted, "this session has as many viewers as it may have");
  }
  LiveViewer viewer(*this, *socket, role);
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
}

void LiveView::leave(LiveViewer* viewer) {
  viewers_.remove(viewer);
  if (driver_ == viewer) {
    browser_.hands().release();
    auto next = std::find_if(viewers_.begin(), viewers_.end(), [](const LiveViewer* other) {
      return other->role() == LiveRole::control;
    });
    driver_ = next != viewers_.end() ? *next : nullptr;
  }
  attend_pages();
  tell_viewers();
}

void LiveView::drive(LiveViewer* viewer) {
  if (driver_ != viewer) {
    browser_.hands().release();
    driver_ = viewer;
    tell_viewers();
  }
}

void LiveView::attend_pages() {
  if (driver_ != nullptr && !watches_pages_) {
    watches_pages_ = true;
    scope_.spawn(pages_.live());
  }
  // A screen shows the browser's own dialogs.
  pages_.attend(driver_ != nullptr && !browser_.has_screen());
}

void LiveView::tell_all(const json::object& message) {
  for (LiveViewer* viewer : viewers_) {
    viewer->tell(message);
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
  for (const Screencast::Page& page : pages->pages()) {
    tabs.push_back(json::object{{"id", page.target_id},
                                {"title", page.title},
                                {"url", page.url},
                                {"active", page.target_id == pages->shown()}});
  }
  json::object message{{"type", "tabs"}, {"tabs", std::move(tabs)}};
  if (viewer != nullptr) {
    viewer->tell(message);
  } else {
    tell_all(message);
  }
}

void LiveView::tell_dialog(LiveViewer* viewer) {
  json::object message{{"type", "dialog_closed"}};
  if (const auto& dialog = pages_.dialog()) {
    message = {{"type", "dialog"},
               {"kind", dialog->kind},
               {"message", dialog->message},
               {"default_text", dialog->default_text}};
  } else if (viewer != nullptr) {
    return;
  }
  if (viewer != nullptr) {
    viewer->tell(message);
  } else {
    tell_all(message);
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

}  // namespace capstan
