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
constexpr auto titles_interval = 1s;
constexpr std::size_t told_bytes_max = 2048;  // of a title or an address

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
  if (auto id = integer_at(message, "id")) {
    take_answer(*id, message);
    return;
  }
  std::string method = text_at(message, "method").value_or("");
  const json::object& params = object_at(message, "params");
  if (method == "Target.targetCreated" || method == "Target.targetInfoChanged") {
    note_page(object_at(params, "targetInfo"));
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
  auto clipped = [&](std::string_view name) {
    return std::string(clip_utf8(text_at(info, name).value_or(""), told_bytes_max));
  };
  Page page{.target_id = text_at(info, "targetId").value_or(""),
            .title = clipped("title"),
            .url = clipped("url")};
  auto known = std::find_if(pages_.begin(), pages_.end(),
                            [&](const Page& other) { return other.target_id == page.target_id; });
  if (known != pages_.end()) {
    if (*known != page) {
      *known = std::move(page);
      tell_pages();
    }
    return;
  }
  std::string target_id = page.target_id;
  pages_.push_back(std::move(page));
  show(target_id);
}

void Screencast::forget_page(const std::string& target_id) {
  std::erase_if(pages_, [&](const Page& page) { return page.target_id == target_id; });
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
  bool is_there = std::any_of(pages_.begin(), pages_.end(),
                              [&](const Page& page) { return page.target_id == target_id; });
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
  frame_to_acknowledge_.reset();
  // What is still under way is answered with another page's picture, or not at all.
  std::erase_if(asked_,
                [](const auto& entry) { return entry.second.what == Asked::What::screenshot; });
}

void Screencast::tell_pages() {
  if (pages_listener_) {
    pages_listener_();
  }
}

void Screencast::attach() {
  asked_[client_.post("Target.attachToTarget", {{"targetId", shown_}, {"flatten", true}})] = {
      .what = Asked::What::attach, .target_id = shown_};
}

void Screencast::take_answer(std::int64_t id, const json::object& message) {
  auto asked = asked_.find(id);
  if (asked == asked_.end()) {
    return;
  }
  Asked what = std::move(asked->second);
  asked_.erase(asked);
  if (!message.contains("result")) {
    return;
  }
  const json::object& result = object_at(message, "result");
  if (what.what == Asked::What::attach) {
    std::string session = text_at(result, "sessionId").value_or("");
    if (what.target_id != shown_ || !session_.empty()) {
      client_.post("Target.detachFromTarget", {{"sessionId", session}});
      return;
    }
    session_ = std::move(session);
    is_sampling_ = false;
    cast(looked_at_every_.has_value());
    return;
  }
  if (what.what == Asked::What::titles) {
    take_titles(result);
    return;
  }
  std::string sample = text_at(result, "data").value_or("");
  equal_samples_ = sample == frame_ ? equal_samples_ + 1 : 0;
  if (equal_samples_ == 0) {
    frame_ = std::move(sample);
    changed_.set();
  }
}

void Screencast::take_frame(const json::object& params) {
  frame_ = text_at(params, "data").value_or("");
  const json::value* width = object_at(params, "metadata").if_contains("deviceWidth");
  frame_page_width_ = width != nullptr && width->is_number() ? width->to_number<double>() : 0;
  frame_to_acknowledge_ = integer_at(params, "sessionId");
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
    asked_[client_.post("Target.getTargets", {})] = {.what = Asked::What::titles, .target_id = ""};
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
  bool is_under_way = std::any_of(asked_.begin(), asked_.end(), [](const auto& entry) {
    return entry.second.what == Asked::What::screenshot;
  });
  if (!is_under_way) {
    asked_[client_.post("Page.captureScreenshot",
                        {{"format", "jpeg"}, {"quality", jpeg_quality}, {"optimizeForSpeed", true}},
                        session_)] = {.what = Asked::What::screenshot, .target_id = shown_};
  }
}

Async<Change> Screencast::update() {
  changed_.clear();
  const double page_width = frame_page_width_;
  auto drawn = co_await outcome_of(
      workers_.run([frame = frame_, picture = &picture_] { return draw_frame(frame, *picture); }));
  if (frame_to_acknowledge_) {
    client_.post("Page.screencastFrameAck",
                 {{"sessionId", *std::exchange(frame_to_acknowledge_, {})}}, session_);
  }
  if (!drawn.ok()) {
    co_return Change{};  // what can't be read is no picture, and another one comes
  }
  if (page_width > 0) {
    page_pixels_per_pixel_ = page_width / drawn.value().width;
  }
  co_return drawn.value().change;
}

}  // namespace capstan
