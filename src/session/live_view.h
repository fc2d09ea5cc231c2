#pragma once

#include <list>
#include <memory>
#include <string>

#include "browser/browser.h"
#include "io/websocket.h"
#include "io/workers.h"
#include "session/live_links.h"
#include "session/page_watch.h"

namespace capstan {

class LiveViewer;

struct LiveViewLimits {
  std::size_t viewers_max = 10;  // the last place is for somebody who may drive
  // How often a viewer gets a picture at most, and how many may be on their way to it. Who is slow
  // gets fewer, each of which shows all that has changed.
  Duration picture_interval = std::chrono::milliseconds(16);
  std::size_t pictures_on_the_way_max = 2;
  int moving_quality = 75;
  int resting_quality = 90;
  Duration resting_after = std::chrono::milliseconds(400);
};

// Shows one session to those who watch it live, one of whom may drive. Owned by its Session while
// there is a browser; all viewers have left before it is destroyed.
class LiveView {
 public:
  LiveView(Executor executor, Clock& clock, Workers& workers, Browser& browser, PageWatch& pages,
           std::string session, LiveViewLimits limits = {});

  // What happens at the pages, which their watch tells.
  void notice(const PageEvent& event);

  // Serves one viewer until it leaves; whoever serves it ends that when the session ends. A viewer
  // is there once: whoever comes again replaces itself. Throws resource_exhausted when there are
  // too many, and conflict once the viewer was replaced.
  Async<> serve(WebSocket* socket, LiveRole role, std::string id);
  bool is_driven_by(const std::string& viewer) const;
  // What is shown now, as a small JPEG. Throws deadline_exceeded if nothing is for 2 s.
  Async<std::shared_ptr<const std::string>> thumbnail();

 private:
  friend class LiveViewer;

  void make_place(LiveRole role, const std::string& viewer);
  void enter(LiveViewer* viewer);
  void leave(LiveViewer* viewer);
  void drive(LiveViewer* viewer);
  void tell_viewers();
  void tell_tabs(LiveViewer* viewer);
  void tell_dialog(LiveViewer* viewer);
  void tell_file_chooser(LiveViewer* viewer);
  void tell(LiveViewer* viewer, const json::object& message);
  void show_tab(const std::string& id);
  void attend_pages();
  // A part of the picture as JPEG. Viewers that want the same one share it.
  Async<std::shared_ptr<const std::string>> encode(Area area, int quality);

  Executor executor_;
  Clock& clock_;
  Workers& workers_;
  Browser& browser_;
  const std::string session_;
  const LiveViewLimits limits_;
  std::list<LiveViewer*> viewers_;
  LiveViewer* driver_ = nullptr;

  struct Encoded {
    SteadyTime taken_at;
    Area area;
    int quality = 0;
    std::shared_ptr<const std::string> jpeg;
  };
  Encoded last_encoded_;
  Encoded thumbnail_;
  PageWatch& pages_;
  std::string told_chooser_;  // its id; empty if none is open
};

}  // namespace capstan
