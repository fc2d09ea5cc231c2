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
// A page sends its pictures no larger than it was asked for, or a little; one that is scaled up by
// the device's factor may have four times the pixels.
constexpr std::int64_t pixels_factor_max = 4;

}  // namespace

Screencast::Screencast(Executor executor, Clock& clock, Workers& workers, DevTools& devtools,
                       const Picture& picture)
    : clock_(clock),
      workers_(workers),
      picture_(picture),
      client_(executor, devtools, command_bytes_max),
      wanted_(executor),
      changed_(executor) {}

Async<> Screencast::live() {
  co_await wanted_.wait();
  std::vector<Async<>> works;
  works.push_back(client_.live([this](const json::object& message) { take(message); }));
  works.push_back(govern());
  co_await first_of(std::move(works));
}

void Screencast::tell_page(std::string_view method, json::object params) {
  // Who sends more than a page takes is not heard.
  if (!session_.empty() && !client_.is_full()) {
    client_.post(method, std::move(params), session_);
  }
}

void Screencast::take(const json::object& message) {
  if (const json::value* id = message.if_contains("id")) {
    take_answer(id->to_number<std::int64_t>(), message);
    return;
  }
  std::string method = text_at(message, "method").value_or("");
  const json::object& params = message.at("params").as_object();
  if (method == "Target.targetCreated" || method == "Target.targetInfoChanged") {
    note_page(params.at("targetInfo").as_object());
  } else if (method == "Target.targetDestroyed") {
    forget_page(text_at(params, "targetId").value_or(""));
  } else if (method == "Page.screencastFrame" && text_at(message, "sessionId") == session_) {
    take_frame(params);
  }
}

void Screencast::note_page(const json::object& info) {
  if (text_at(info, "type") != "page") {
    return;
  }
  Page page{.target_id = text_at(info, "targetId").value_or(""),
            .title = text_at(info, "title").value_or(""),
            .url = text_at(info, "url").value_or("")};
  auto known = std::find_if(pages_.begin(), pages_.end(),
                            [&](const Page& other) { return other.target_id == page.target_id; });
  if (known != pages_.end()) {
    *known = std::move(page);
    tell_pages();
    return;
  }
  std::string target_id = page.target_id;
  pages_.push_back(std::move(page));
  show(target_id);
}

void Screencast::forget_page(const std::string& target_id) {
  std::erase_if(pages_, [&](const Page& page) { return page.target_id == target_id; });
  if (shown_ == target_id) {
    shown_.clear();
    session_.clear();
    is_casting_ = false;
    if (!pages_.empty()) {
      show(pages_.back().target_id);
      return;
    }
  }
  tell_pages();
}

void Screencast::show(const std::string& target_id) {
  bool is_there = std::any_of(pages_.begin(), pages_.end(),
                              [&](const Page& page) { return page.target_id == target_id; });
  if (is_there && target_id != shown_) {
    cast(false);
    if (!session_.empty()) {
      client_.post("Target.detachFromTarget", {{"sessionId", session_}});
      session_.clear();
    }
    shown_ = target_id;
    attach();
  }
  tell_pages();
}

void Screencast::tell_pages() {
  if (pages_listener_) {
    pages_listener_();
  }
}

void Screencast::attach() {
  asked_[client_.post("Target.attachToTarget", {{"targetId", shown_}, {"flatten", true}})] =
      Asked::attach;
}

void Screencast::take_answer(std::int64_t id, const json::object& message) {
  auto asked = asked_.find(id);
  if (asked == asked_.end()) {
    return;
  }
  Asked what = asked->second;
  asked_.erase(asked);
  const json::value* result = message.if_contains("result");
  if (result == nullptr) {
    return;
  }
  if (what == Asked::attach) {
    session_ = text_at(result->as_object(), "sessionId").value_or("");
    client_.post("Page.enable", {}, session_);
    is_sampling_ = false;
    cast(looked_at_every_.has_value());
    return;
  }
  std::string sample = text_at(result->as_object(), "data").value_or("");
  equal_samples_ = sample == frame_ ? equal_samples_ + 1 : 0;
  if (equal_samples_ == 0) {
    frame_ = std::move(sample);
    changed_.set();
  }
}

void Screencast::take_frame(const json::object& params) {
  frame_ = text_at(params, "data").value_or("");
  frame_to_acknowledge_ = params.at("sessionId");
  frame_times_.push_back(clock_.now());
  changed_.set();
}

void Screencast::cast(bool on) {
  if (on == is_casting_ || session_.empty()) {
    return;
  }
  is_casting_ = on;
  frame_times_.clear();
  if (on) {
    client_.post("Page.startScreencast",
                 {{"format", "jpeg"},
                  {"quality", jpeg_quality},
                  {"maxWidth", picture_.size().width},
                  {"maxHeight", picture_.size().height}},
                 session_);
  } else {
    client_.post("Page.stopScreencast", {}, session_);
  }
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

// While a dialog is open no page answers, so the next one waits for the answer of the last.
void Screencast::ask_for_screenshot() {
  bool is_under_way = std::any_of(asked_.begin(), asked_.end(), [](const auto& entry) {
    return entry.second == Asked::screenshot;
  });
  if (!is_under_way) {
    asked_[client_.post("Page.captureScreenshot",
                        {{"format", "jpeg"}, {"quality", jpeg_quality}, {"optimizeForSpeed", true}},
                        session_)] = Asked::screenshot;
  }
}

Async<Change> Screencast::update() {
  changed_.clear();
  std::optional<std::string> bytes = decode_base64(frame_);
  std::int64_t pixels_max = whole(picture_.size()).pixels() * pixels_factor_max;
  Change change;
  if (bytes && !bytes->empty()) {
    change = co_await workers_.run([bytes = std::move(*bytes), picture = &picture_, pixels_max] {
      return draw(decode_jpeg(bytes, pixels_max), *picture);
    });
  }
  if (frame_to_acknowledge_) {
    client_.post("Page.screencastFrameAck",
                 {{"sessionId", *std::exchange(frame_to_acknowledge_, {})}}, session_);
  }
  co_return change;
}

}  // namespace capstan
