#include "display/screencast.h"

#include <algorithm>

#include "base/text.h"
#include "io/race.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

constexpr int jpeg_quality = 80;
constexpr std::size_t command_bytes_max = std::size_t{1} << 20;
// Who looks so often watches live.
constexpr auto live_interval = 50ms;
// More than 8 frames in a second, for two seconds, is what moves all the time.
constexpr auto observed = 2s;
constexpr std::size_t frames_that_move = 16;
constexpr auto sample_interval = 500ms;
constexpr int samples_that_rest = 3;
// Chromium makes no more before one of them is acknowledged.
constexpr std::size_t frames_unacknowledged_max = 3;
// Chromium would have sent a frame by then if there were another one, also on a busy machine.
constexpr auto rest = 250ms;
constexpr auto rest_check_interval = 50ms;
constexpr auto answer_patience = 2s;
constexpr std::size_t told_under_way_max = 1000;
constexpr auto titles_interval = 1s;
constexpr std::size_t told_bytes_max = 2048;  // of a title or an address

auto find_page(auto& pages, const std::string& target_id) {
  return std::find_if(pages.begin(), pages.end(),
                      [&](const PageInfo& page) { return page.target_id == target_id; });
}

struct Drawn {
  Change change;
  int width = 0;  // of the picture that the page takes
};

Drawn draw_frame(const std::string& base64, const Picture& picture) {
  std::optional<std::string> bytes = decode_base64(base64);
  if (!bytes || bytes->empty()) {
    throw Error(ErrorCode::unavailable, "what should be a picture is none");
  }
  Image image = fit(decode_jpeg(*bytes, picture.size()), picture.size());
  return {.change = draw(image, picture), .width = image.size.width};
}

}  // namespace

Screencast::Screencast(Executor executor, Clock& clock, Workers& workers, DevTools& devtools,
                       const Picture& picture)
    : clock_(clock),
      workers_(workers),
      picture_(picture),
      client_(executor, clock, devtools, command_bytes_max),
      all_done_(executor),
      wanted_(executor),
      may_miss_frames_(executor),
      changed_(executor) {}

Async<> Screencast::live() {
  co_await wanted_.wait();
  std::vector<Async<>> works;
  works.push_back(
      client_.live([this](std::string_view method, const std::string& session,
                          const json::object& params) { take_event(method, session, params); }));
  works.push_back(govern());
  works.push_back(end_rows());
  co_await first_of(std::move(works));
}

void Screencast::tell_page(std::string_view method, json::object params) {
  if (session_.empty()) {
    return;
  }
  ++told_under_way_;
  all_done_.clear();
  client_.post(method, std::move(params), session_, [this](Outcome<json::object>) {
    if (--told_under_way_ == 0) {
      all_done_.set();
    }
  });
}

bool Screencast::is_behind() const {
  return client_.is_full() || told_under_way_ >= told_under_way_max;
}

Async<> Screencast::pages_have_done() {
  if (told_under_way_ > 0) {
    auto in_time = co_await outcome_of(
        within(clock_, answer_patience, all_done_.wait(), "the page is busy or shows a dialog"));
  }
}

void Screencast::take_event(std::string_view method, const std::string& session,
                            const json::object& params) {
  if (method == "Target.targetCreated" || method == "Target.targetInfoChanged") {
    note_page(object_at(params, "targetInfo"));
  } else if (method == "Target.targetDestroyed") {
    forget_page(text_at(params, "targetId").value_or(""));
  } else if (method == "Page.screencastFrame" && session == session_) {
    take_frame(params);
  }
}

void Screencast::note_page(const json::object& info) {
  std::optional<PageInfo> page = page_info_in(info, told_bytes_max);
  if (!page) {
    return;
  }
  auto known = find_page(pages_, page->target_id);
  if (known == pages_.end()) {
    pages_.push_back(*page);
    show(page->target_id);
  } else if (*known != *page) {
    *known = std::move(*page);
    tell_pages();
  }
}

void Screencast::forget_page(const std::string& target_id) {
  std::erase_if(pages_, [&](const PageInfo& page) { return page.target_id == target_id; });
  if (shown_ == target_id) {
    session_.clear();  // has ended with its page
    let_go();
    if (!pages_.empty()) {
      show(pages_.back().target_id);
      return;
    }
  }
  tell_pages();
}

void Screencast::show(const std::string& target_id) {
  bool is_there = find_page(pages_, target_id) != pages_.end();
  if (is_there && target_id != shown_ && !client_.is_full()) {
    let_go();
    shown_ = target_id;
    attach();
  }
  tell_pages();
}

// Of the page that was shown.
void Screencast::let_go() {
  if (!session_.empty()) {
    cast(false);
    client_.post("Target.detachFromTarget", {{"sessionId", session_}});
  }
  shown_.clear();
  session_.clear();
  is_casting_ = false;
  is_sampling_ = false;
  unacknowledged_ = 0;
}

void Screencast::tell_pages() {
  if (pages_listener_) {
    pages_listener_();
  }
}

void Screencast::attach() {
  client_.attach(shown_, [this, target_id = shown_](std::string session) {
    take_session(target_id, std::move(session));
  });
}

void Screencast::take_session(const std::string& target_id, std::string session) {
  if (target_id != shown_ || !session_.empty()) {
    client_.post("Target.detachFromTarget", {{"sessionId", session}});
    return;
  }
  session_ = std::move(session);
  is_sampling_ = false;
  cast(looked_at_every_.has_value());
}

void Screencast::take_frame(const json::object& params) {
  frame_ = text_at(params, "data").value_or("");
  const json::value* width = object_at(params, "metadata").if_contains("deviceWidth");
  frame_page_width_ = width != nullptr && width->is_number() ? width->to_number<double>() : 0;
  const std::int64_t cast = integer_at(params, "sessionId").value_or(0);
  if (std::exchange(frame_cast_, cast) != cast) {
    unacknowledged_ = 0;
  }
  const SteadyTime now = clock_.now();
  const bool is_next = unacknowledged_ > 0 || now - stirred_at_ < rest;
  frames_in_a_row_ = is_next ? frames_in_a_row_ + 1 : 1;
  if (frames_in_a_row_ >= frames_unacknowledged_max) {
    may_miss_frames_.set();
  }
  unacknowledged_ = std::min(unacknowledged_ + 1, frames_unacknowledged_max);
  stirred_at_ = now;
  frame_times_.push_back(now);
  changed_.set();
}

// One for each that was drawn, so that Chromium makes no more than are taken. Those that a newer
// one came before are left to the end of the row.
void Screencast::acknowledge_frame() {
  if (unacknowledged_ > 0) {
    --unacknowledged_;
    stirred_at_ = clock_.now();
    client_.post("Page.screencastFrameAck", {{"sessionId", frame_cast_}}, session_);
  }
}

// Begins the cast anew at the end of each row of frames, which brings the last one in any case.
Async<> Screencast::end_rows() {
  while (true) {
    co_await may_miss_frames_.wait();
    co_await clock_.sleep(rest_check_interval);
    if (!is_casting_) {
      may_miss_frames_.clear();
    } else if (unacknowledged_ < frames_unacknowledged_max && clock_.now() - stirred_at_ >= rest) {
      client_.post("Page.stopScreencast", {}, session_);
      start_cast();
    }
  }
}

void Screencast::cast(bool on) {
  if (on == is_casting_ || session_.empty()) {
    return;
  }
  is_casting_ = on;
  unacknowledged_ = 0;
  frame_times_.clear();
  if (on) {
    start_cast();
  } else {
    client_.post("Page.stopScreencast", {}, session_);
  }
}

void Screencast::start_cast() {
  frames_in_a_row_ = 0;
  may_miss_frames_.clear();
  client_.post("Page.startScreencast",
               {{"format", "jpeg"},
                {"quality", jpeg_quality},
                {"maxWidth", picture_.size().width},
                {"maxHeight", picture_.size().height}},
               session_);
}

void Screencast::look(std::optional<Duration> interval) {
  looked_at_every_ = interval;
  wanted_.set();
  if (!interval) {
    is_sampling_ = false;
    cast(false);
  } else if (!is_sampling_) {
    cast(true);
  }
}

bool Screencast::moves_all_the_time() const { return frame_times_.size() > frames_that_move; }

Async<> Screencast::govern() {
  while (true) {
    co_await clock_.sleep(sample_interval);
    while (!frame_times_.empty() && frame_times_.front() < clock_.now() - observed) {
      frame_times_.pop_front();
    }
    if (!looked_at_every_ || session_.empty()) {
      continue;
    }
    bool is_watched_live = *looked_at_every_ <= live_interval;
    if (is_watched_live) {
      ask_for_titles();
    }
    if (is_sampling_ && (is_watched_live || equal_samples_ >= samples_that_rest)) {
      is_sampling_ = false;
      cast(true);
    } else if (is_casting_ && !is_watched_live && moves_all_the_time()) {
      cast(false);
      is_sampling_ = true;
      equal_samples_ = 0;
    }
    if (is_sampling_) {
      ask_for_screenshot();
    }
  }
}

// Chromium tells of a new title only with the next navigation.
void Screencast::ask_for_titles() {
  if (clock_.now() - titles_asked_at_ >= titles_interval && !client_.is_full()) {
    titles_asked_at_ = clock_.now();
    client_.post("Target.getTargets", {}, "", [this](Outcome<json::object> targets) {
      if (targets.ok()) {
        take_titles(targets.value());
      }
    });
  }
}

void Screencast::take_titles(const json::object& answer) {
  const json::value* infos = answer.if_contains("targetInfos");
  if (infos == nullptr || !infos->is_array()) {
    return;
  }
  for (const json::value& info : infos->get_array()) {
    if (info.is_object()) {
      note_page(info.get_object());
    }
  }
}

// While a dialog is open no page answers, so the next one waits for the answer of the last.
void Screencast::ask_for_screenshot() {
  if (std::exchange(screenshot_is_under_way_, true)) {
    return;
  }
  client_.post("Page.captureScreenshot",
               {{"format", "jpeg"}, {"quality", jpeg_quality}, {"optimizeForSpeed", true}},
               session_, [this, session = session_](Outcome<json::object> screenshot) {
                 screenshot_is_under_way_ = false;
                 if (screenshot.ok() && session == session_) {
                   take_screenshot(text_at(screenshot.value(), "data").value_or(""));
                 }
               });
}

void Screencast::take_screenshot(std::string data) {
  equal_samples_ = data == frame_ ? equal_samples_ + 1 : 0;
  if (equal_samples_ == 0) {
    frame_ = std::move(data);
    changed_.set();
  }
}

Async<Change> Screencast::update() {
  changed_.clear();
  const double page_width = frame_page_width_;
  auto drawn = co_await outcome_of(
      workers_.run([frame = frame_, picture = &picture_] { return draw_frame(frame, *picture); }));
  acknowledge_frame();
  if (!drawn.ok()) {
    co_return Change{};  // what can't be read is no picture, and another one comes
  }
  if (page_width > 0) {
    page_pixels_per_pixel_ = page_width / drawn.value().width;
  }
  co_return drawn.value().change;
}

}  // namespace capstan
