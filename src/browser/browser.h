#pragma once

#include <memory>
#include <string>

#include "browser/launch_flags.h"
#include "cage/cage.h"
#include "cdp/devtools.h"
#include "io/clock.h"
#include "io/scope.h"

namespace capstan {

// One page as DevTools lists it.
struct PageInfo {
  std::string target_id;
  std::string title;
  std::string url;
};

// One running Chromium with a profile of its own and one blank page. Owned by a session, or by the
// pool while it is warm. Who owns it must await close() before destroying it.
class Browser {
 public:
  Browser(Executor executor, Clock& clock, BrowserKind kind, std::unique_ptr<Child> child,
          std::unique_ptr<DevTools> devtools);

  // Waits until DevTools answers and the first page is there. Throws when that takes longer than
  // `limit` or the browser ends.
  Async<> become_ready(Duration limit);

  BrowserKind kind() const { return kind_; }
  DevTools& devtools() { return *devtools_; }
  // What DevTools calls this browser: "Chrome/156.0.8078.79".
  const std::string& product() const { return product_; }
  const std::string& first_page() const { return first_page_; }

  bool is_gone() const { return gone_.is_set(); }
  // Waits until the process has ended or its pipe has broken.
  Async<> gone() { return gone_.wait(); }

  // Makes the first page's viewport this large.
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

  Clock& clock_;
  const BrowserKind kind_;
  std::unique_ptr<Child> child_;
  std::unique_ptr<DevTools> devtools_;
  std::string product_;
  std::string first_page_;
  Viewport viewport_;
  Event gone_;
  Scope scope_;
};

}  // namespace capstan
