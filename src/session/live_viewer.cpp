#include "session/live_viewer.h"

#include <cmath>

#include "base/text.h"
#include "display/hands.h"
#include "io/race.h"
#include "session/live_view.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

constexpr auto leaving_patience = 2s;
// What waits for a viewer who doesn't read.
constexpr std::size_t text_bytes_max = std::size_t{4} << 20;
// What a viewer has sent and we have not come to yet.
constexpr std::size_t action_bytes_max = std::size_t{1} << 20;
// Key by key, of which the address bar takes 100 a second.
constexpr std::size_t typed_bytes_max = 1000;
constexpr std::size_t pasted_bytes_max = std::size_t{1} << 20;
constexpr std::size_t copied_bytes_max = std::size_t{1} << 20;
constexpr std::size_t message_values_max = 120;  // a choice of 100 files, and its frame
constexpr std::size_t name_bytes_max = 32;       // of a key

std::string little_endian(std::uint64_t value, std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) {
    text.push_back(static_cast<char>(value >> (8 * i)));
  }
  return text;
}

std::string two(int value) { return little_endian(static_cast<std::uint64_t>(value), 2); }

int int_at(const json::object& object, std::string_view name, int fallback = 0) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_number()) {
    return fallback;
  }
  boost::system::error_code out_of_range;
  int number = value->to_number<int>(out_of_range);
  return out_of_range ? fallback : number;
}

double double_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  double number = value != nullptr && value->is_number() ? value->to_number<double>() : 0;
  return std::isfinite(number) ? number : 0;
}

bool bool_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::vector<std::string> texts_at(const json::object& object, std::string_view name) {
  std::vector<std::string> texts;
  const json::value* value = object.if_contains(name);
  if (value != nullptr && value->is_array()) {
    for (const json::value& text : value->get_array()) {
      texts.emplace_back(text.is_string() ? std::string(text.get_string()) : "");
    }
  }
  return texts;
}

PointerInput read_pointer(const json::object& message) {
  std::string event = text_at(message, "event").value_or("");
  return {.event = event == "down" ? PointerInput::Event::down
                   : event == "up" ? PointerInput::Event::up
                                   : PointerInput::Event::move,
          .x = int_at(message, "x"),
          .y = int_at(message, "y"),
          .button = int_at(message, "button"),
          .buttons = int_at(message, "buttons"),
          .clicks = int_at(message, "clicks", 1),
          .modifiers = int_at(message, "modifiers")};
}

}  // namespace

LiveViewer::LiveViewer(LiveView& view, WebSocket& socket, LiveRole role, std::string id)
    : view_(view),
      socket_(socket),
      role_(role),
      id_(std::move(id)),
      texts_(view.executor_, text_bytes_max),
      actions_(view.executor_, action_bytes_max),
      acknowledged_(view.executor_),
      replaced_(view.executor_) {}

Async<> LiveViewer::live() {
  std::vector<Async<>> works;
  works.push_back(send_texts());
  works.push_back(send_pictures());
  works.push_back(receive());
  works.push_back(act_in_turn());
  works.push_back(replaced());
  co_await first_of(std::move(works));
}

Async<> LiveViewer::replaced() {
  co_await replaced_.wait();
  throw Error(ErrorCode::conflict, "this viewer has come again");
}

void LiveViewer::tell(const json::object& message) {
  std::string text = json::serialize(message);
  std::size_t bytes = text.size();
  texts_.push_now(std::move(text), bytes);
  if (texts_.is_full()) {
    texts_.close();  // it reads nothing, and is sent away
  }
}

void LiveViewer::refuse(std::string message) {
  tell({{"type", "error"}, {"message", std::move(message)}});
}

Async<> LiveViewer::send_texts() {
  while (auto text = co_await texts_.pop()) {
    co_await socket_.write(std::move(*text));
  }
}

Async<> LiveViewer::send_pictures() {
  Display& display = *view_.browser_.display();
  const LiveViewLimits& limits = view_.limits_;
  Display::Look look(display, limits.picture_interval);
  bool is_rough = false;  // what was sent last can be sent better
  while (true) {
    while (on_the_way_ >= limits.pictures_on_the_way_max) {
      acknowledged_.clear();
      co_await acknowledged_.wait();
    }
    std::vector<Async<>> either;
    either.push_back(look.changed());
    if (is_rough) {
      either.push_back(view_.clock_.sleep(limits.resting_after));
    }
    bool is_resting = co_await first_of(std::move(either)) == 1;
    if (display.has_ended()) {
      co_await view_.clock_.sleep(display_end_patience);  // most often that is the session's end
      throw Error(ErrorCode::unavailable, "the session shows nothing any more");
    }
    Area area = is_resting ? whole(display.picture().size()) : look.take_change().area;
    if (!area.is_empty()) {
      co_await send_picture(area, is_resting ? limits.resting_quality : limits.moving_quality);
      is_rough = !is_resting;
    }
  }
}

Async<> LiveViewer::send_picture(Area area, int quality) {
  const PictureSize size = view_.browser_.display()->picture().size();
  std::shared_ptr<const std::string> jpeg = co_await view_.encode(area, quality);
  auto time_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
      view_.browser_.display()->taken_at().time_since_epoch());
  ++last_number_;
  std::string message = little_endian(1, 1) + little_endian(area == whole(size) ? 1 : 0, 1) +
                        two(0) + little_endian(last_number_, 4) + two(area.x) + two(area.y) +
                        two(area.width) + two(area.height) + two(size.width) + two(size.height) +
                        little_endian(static_cast<std::uint64_t>(time_ms.count()), 4) + *jpeg;
  ++on_the_way_;
  co_await socket_.write_binary(std::move(message));
}

Async<> LiveViewer::receive() {
  while (auto text = co_await socket_.read()) {
    auto message = outcome_of_call(
        [&] { return parse_json(*text, "the message", message_values_max).as_object(); });
    if (!message.ok()) {
      refuse("messages are JSON objects");
    } else if (text_at(message.value(), "type") == "ack") {
      on_the_way_ -= on_the_way_ > 0 ? 1 : 0;
      acknowledged_.set();
    } else {
      const std::size_t bytes = text->size();
      co_await actions_.push(std::move(message).take(), bytes);
    }
  }
  actions_.close();
  co_await view_.clock_.sleep(leaving_patience);  // for what is still to be done
}

// Apart from what is received, since a page may take long over an action, and pictures shall go on.
Async<> LiveViewer::act_in_turn() {
  while (auto message = co_await actions_.pop()) {
    std::string type = text_at(*message, "type").value_or("");
    if (role_ == LiveRole::view) {
      refuse("this link is for viewing only");
    } else if (type == "drive") {
      view_.drive(this);
    } else if (view_.driver_ != this) {
      refuse("somebody else drives");
    } else {
      auto acted = co_await outcome_of(act(std::move(type), std::move(*message)));
      if (!acted.ok()) {
        refuse(acted.error().message());
      }
    }
  }
}

// What no key of a common keyboard writes is put in as text where a page has the focus. Elsewhere
// it needs a key of its own, which a browser that has just heard of it may miss.
Async<> LiveViewer::press(KeyInput key) {
  if (key.code.size() > name_bytes_max || key.key.size() > name_bytes_max) {
    co_return;
  }
  bool is_foreign = !key.key.empty() && (static_cast<unsigned char>(key.key.front()) & 0x80) != 0;
  if (is_foreign && key.down) {
    co_await write(key.key);
  } else {
    view_.browser_.hands().press(key);  // what is let go may have had another name when pressed
  }
}

Async<> LiveViewer::write(std::string text) {
  co_await view_.browser_.hands().arrived();
  if (co_await view_.pages_.insert_text(text)) {
    co_return;
  }
  if (text.size() > typed_bytes_max) {
    throw Error(ErrorCode::resource_exhausted,
                "outside of a page no more than 1000 bytes can be written at once");
  }
  view_.browser_.hands().write(text);
}

Async<> LiveViewer::act(std::string type, json::object message) {
  Hands& hands = view_.browser_.hands();
  if (type == "pointer") {
    hands.move(read_pointer(message));
  } else if (type == "wheel") {
    hands.turn_wheel({.x = int_at(message, "x"),
                      .y = int_at(message, "y"),
                      .dx = double_at(message, "dx"),
                      .dy = double_at(message, "dy"),
                      .modifiers = int_at(message, "modifiers")});
  } else if (type == "key") {
    KeyInput key{.down = text_at(message, "event") == "down",
                 .code = text_at(message, "code").value_or(""),
                 .key = text_at(message, "key").value_or(""),
                 .repeat = bool_at(message, "repeat"),
                 .modifiers = int_at(message, "modifiers")};
    co_await press(std::move(key));
  } else if (type == "release") {
    hands.release();
  } else if (type == "commit") {
    hands.release();
    co_await write(text_at(message, "text").value_or(""));
  } else if (type == "paste") {
    std::string text = text_at(message, "text").value_or("");
    if (text.size() > pasted_bytes_max) {
      throw Error(ErrorCode::resource_exhausted, "more than 1 MiB can't be pasted at once");
    }
    if (co_await hands.paste(text)) {
      // Else what follows overtakes it, or takes its place on the clipboard.
      co_await hands.arrived();
      co_await view_.pages_.caught_up();
    } else {
      co_await write(std::move(text));
    }
  } else if (type == "compose") {
    co_await hands.arrived();
    co_await view_.pages_.compose(text_at(message, "text").value_or(""), int_at(message, "start"),
                                  int_at(message, "end"));
  } else if (type == "copy") {
    co_await hands.arrived();
    std::string text = co_await view_.pages_.selected_text();
    if (text.size() > copied_bytes_max) {
      throw Error(ErrorCode::resource_exhausted, "more than 1 MiB can't be copied at once");
    }
    tell({{"type", "copied"}, {"text", std::move(text)}});
  } else if (type == "dialog_answer") {
    view_.pages_.answer_dialog(bool_at(message, "accept"), text_at(message, "text").value_or(""));
  } else if (type == "files") {
    co_await view_.pages_.choose_files(text_at(message, "chooser").value_or(""),
                                       texts_at(message, "ids"));
  } else if (type == "tab") {
    view_.show_tab(text_at(message, "id").value_or(""));
  } else {
    refuse("there is no message of the type " + std::string(clip_utf8(type, name_bytes_max)));
  }
}

}  // namespace capstan
