#pragma once

#include <memory>
#include <string>

#include "browser/launch_flags.h"
#include "cage/cage.h"
#include "cdp/devtools.h"
#include "cdp/page_info.h"
#include "io/clock.h"
#include "io/scope.h"
#include "io/workers.h"

namespace capstan {

class Display;
class Hands;
class Screencast;
class X11Screen;

// One running Chromium with a profile of its own and one blank page. Owned by a session, or by the
// pool while it is warm. Who owns it must await close() before destroying it.
class Browser {
 public:
  Browser(Executor executor, Clock& clock, Workers& workers, BrowserKind kind, Viewport viewport,
          std::unique_ptr<Child> child, std::unique_ptr<DevTools> devtools);
  ~Browser();

  // Waits until DevTools answers, the first page is there, and the screen, if there is one. Throws
  // when that takes longer than `limit` or the browser ends.
  Async<> become_ready(Duration limit);

  BrowserKind kind() const { return kind_; }
  DevTools& devtools() { return *devtools_; }
  // What DevTools calls this browser: "Chrome/156.0.8078.79".
  const std::string& product() const { return product_; }
  const std::string& first_page() const { return first_page_; }

  // What it shows: its screen, or else one of its pages. Null before resize().
  Display* display() const { return display_.get(); }
  bool has_screen() const { return screen_ != nullptr; }
  // A person's hands at it. Not before resize().
  Hands& hands() const { return *hands_; }
  // Which page is shown; null if there is a screen, which shows what the browser wants.
  Screencast* screencast() const { return screencast_; }

  bool is_gone() const { return gone_.is_set(); }
  // Whether it has gone by itself and in good order, as when its last window is closed.
  bool has_quit() const { return has_quit_; }
  // Waits until the process has ended or its pipe has broken.
  Async<> gone() { return gone_.wait(); }

  // Makes the first page's viewport this large. Once, before anybody uses it.
  Async<> resize(Viewport viewport);
  // Opens the address in the first page, and waits for the navigation to be committed or to fail.
  Async<> open(std::string url);
  Async<std::vector<PageInfo>> pages();

  // The only way from the browser to the network, which speaks HTTP's proxy protocol; once. Until
  // somebody answers there, the browser's requests wait.
  Door take_exit() { return child_->take_door(); }
  LimitsMet limits_met() const { return child_->limits_met(); }

  // Ends all of its processes, and waits for that. Can be called once.
  Async<> close();

 private:
  Async<> live();
  Async<> set_window_size(Viewport viewport);
  void show_pages();

  Executor executor_;
  Clock& clock_;
  Workers& workers_;
  const BrowserKind kind_;
  std::unique_ptr<Child> child_;
  std::unique_ptr<DevTools> devtools_;
  std::string product_;
  std::string first_page_;
  Viewport viewport_;
  X11Screen* screen_ = nullptr;  // these two are the display's
  Screencast* screencast_ = nullptr;
  std::unique_ptr<Display> display_;
  std::unique_ptr<Hands> hands_;
  Event gone_;
  bool has_quit_ = false;
  Scope scope_;
};

}  // namespace capstan
