#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "cdp/devtools_client.h"
#include "cdp/page_info.h"
#include "display/jpeg.h"
#include "display/picture_source.h"
#include "io/clock.h"
#include "io/workers.h"

namespace capstan {

// The pages of a browser without a screen, one at a time, as DevTools shows them.
//
// While DevTools casts a page, Chromium copies and encodes every frame that the page makes, which
// costs a processor 45 ms each, whatever we take of them. So what moves all the time is not cast
// but looked at twice a second, unless somebody watches it live. Before somebody looks for the
// first time it doesn't even join the browser.
//
// Chromium makes no further frame while three are unacknowledged, and what changed meanwhile it
// never shows by itself. So where frames came close together, a fresh one is asked for as soon as
// no more come.
class Screencast final : public PictureSource {
 public:
  // `picture` is drawn into, and outlives it, as does the rest.
  Screencast(Executor executor, Clock& clock, Workers& workers, DevTools& devtools,
             const Picture& picture);

  Async<> live() override;
  void look(std::optional<Duration> interval) override;
  Async<> changed(std::int64_t) override { return changed_.wait(); }
  Async<Change> update() override;

  // The pages that are open, in the order in which they were opened. The newest one is shown until
  // it closes, or another one is asked for.
  const std::vector<PageInfo>& pages() const { return pages_; }
  const std::string& shown() const { return shown_; }
  void show(const std::string& target_id);
  // A command to the page that is shown, if there is one.
  void tell_page(std::string_view method, json::object params);
  // Whether pages owe so many answers that they should be told no more; one that hangs gives none.
  bool is_behind() const;
  // Waits until pages have answered all that they were told, or don't do so in time. Until then,
  // what they are told in another session may overtake it.
  Async<> pages_have_done();
  // How many of the page's own pixels, in which it is told where the mouse is, one of the picture's
  // stands for.
  double page_pixels_per_pixel() const { return page_pixels_per_pixel_; }
  // Called when one of the three has changed.
  void on_pages(std::function<void()> listener) { pages_listener_ = std::move(listener); }

 private:
  Async<> govern();
  Async<> end_rows();
  void take_event(std::string_view method, const std::string& session, const json::object& params);
  void take_frame(const json::object& params);
  void note_page(const json::object& info);
  void forget_page(const std::string& target_id);
  void attach();
  void take_session(const std::string& target_id, std::string session);
  void let_go();
  void cast(bool on);
  void start_cast();
  void acknowledge_frame();
  void ask_for_screenshot();
  void take_screenshot(std::string data);
  void ask_for_titles();
  void take_titles(const json::object& answer);
  bool moves_all_the_time() const;
  void tell_pages();

  Clock& clock_;
  Workers& workers_;
  const Picture& picture_;
  DevToolsClient client_;

  std::vector<PageInfo> pages_;
  std::string shown_;    // its target
  std::string session_;  // ours at it, once it is attached
  std::function<void()> pages_listener_;
  SteadyTime titles_asked_at_;

  std::size_t told_under_way_ = 0;  // commands to pages, of tell_page()
  Event all_done_;                  // none of them is under way

  Event wanted_;  // somebody has looked, once
  std::optional<Duration> looked_at_every_;
  bool is_casting_ = false;
  bool is_sampling_ = false;
  bool screenshot_is_under_way_ = false;
  std::deque<SteadyTime> frame_times_;  // of the last two seconds
  int equal_samples_ = 0;

  std::string frame_;            // the newest, as base64, until it is drawn
  double frame_page_width_ = 0;  // that it shows; 0 if that is not known
  double page_pixels_per_pixel_ = 1;
  std::int64_t frame_cast_ = 0;      // the number that Chromium gave to the cast of that frame
  std::size_t unacknowledged_ = 0;   // frames of that cast
  std::size_t frames_in_a_row_ = 0;  // that came close together, the newest among them
  SteadyTime stirred_at_;            // when one came or was acknowledged
  Event may_miss_frames_;            // since Chromium leaves out some when many are in a row
  Event changed_;
};

}  // namespace capstan
