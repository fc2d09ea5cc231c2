#include "display/x11_screen.h"

#include <algorithm>
#include <utility>

#include "io/race.h"
#include "io/scope.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

// A server that is alive answers within a millisecond, on a busy machine within some hundred.
constexpr auto patience = 10s;
// Starting one takes 60 to 200 ms, 800 the first time on a machine.
constexpr auto start_patience = 30s;
// Of a client of the server, which may be one that doesn't answer.
constexpr auto client_patience = 2s;

// What we make on the server, counted from the first id that is ours.
constexpr x11::Id segment_number = 0;
constexpr x11::Id damage_number = 1;
constexpr x11::Id region_number = 2;
constexpr x11::Id window_number = 3;

}  // namespace

X11Screen::X11Screen(Executor executor, Clock& clock, Fd socket, const Picture& picture)
    : clock_(clock),
      picture_(picture),
      connection_(executor, std::move(socket)),
      clipboard_(executor, connection_),
      damaged_(executor),
      ponged_(executor),
      prepared_(executor) {}

Async<> X11Screen::live() {
  auto greeted = co_await outcome_of(within(clock_, start_patience, connection_.shake_hands(),
                                            "the display did not start in time"));
  if (greeted.ok()) {
    setup_ = greeted.value();
    std::vector<Async<>> works;
    works.push_back(connection_.live([this](const x11::Message& event) { take_event(event); }));
    works.push_back(prepare());
    auto lived = co_await outcome_of(first_of(std::move(works)));
    failure_ = lived.ok() ? Error(ErrorCode::unavailable, "the display has gone") : lived.error();
  } else {
    failure_ = greeted.error();
  }
  prepared_.set();
  damaged_.set();
}

void X11Screen::take_event(const x11::Message& event) {
  if (event.code == damage_.first_event) {
    damage_area_ = clip(x11::read_damage(event.bytes), picture_.size());
    damaged_.set();
  } else if (event.code == x11::selection_request_event) {
    clipboard_.take(x11::read_selection_request(event.bytes));
  } else if (event.code == x11::client_message_event) {
    auto number = x11::read_pong(event.bytes, ping_atoms_);
    if (number && *number <= last_ping_) {
      last_pong_ = std::max(last_pong_, *number);
      ponged_.set();
    }
  }
}

// Doesn't return, so that the connection lives on beside it.
Async<> X11Screen::prepare() {
  shm_ = co_await extension("MIT-SHM");
  damage_ = co_await extension("DAMAGE");
  fixes_ = co_await extension("XFIXES");
  test_ = co_await extension("XTEST");
  bool fits = setup_.size == picture_.size() && setup_.depth == 24;
  if (!fits) {
    throw Error(ErrorCode::unavailable, "the display has a screen of another form");
  }
  co_await connection_.call(x11::shm_query_version(shm_));
  co_await connection_.call(x11::damage_query_version(damage_));
  co_await connection_.call(x11::fixes_query_version(fixes_));
  co_await clipboard_.prepare(setup_.id_base + window_number, setup_.root);
  ping_atoms_.wm_protocols = co_await connection_.atom("WM_PROTOCOLS");
  ping_atoms_.net_wm_ping = co_await connection_.atom("_NET_WM_PING");
  connection_.send(x11::listen_at_root(setup_.root));
  co_await settled();
  connection_.send_passing(x11::shm_attach(shm_, setup_.id_base + segment_number), picture_.file());
  connection_.send(x11::region_create(fixes_, setup_.id_base + region_number));
  connection_.send(x11::damage_create(damage_, setup_.id_base + damage_number, setup_.root));
  prepared_.set();
  Event never(co_await asio::this_coro::executor);
  co_await never.wait();
}

Async<x11::Extension> X11Screen::extension(std::string name) {
  std::string reply = co_await connection_.call(x11::query_extension(name));
  std::optional<x11::Extension> extension = x11::read_extension(reply);
  if (!extension) {
    throw Error(ErrorCode::unavailable, "the display has no extension " + name);
  }
  co_return *extension;
}

Async<> X11Screen::ready() {
  co_await prepared_.wait();
  if (failure_) {
    throw Error(*failure_);
  }
}

Async<> X11Screen::changed(std::int64_t pixels) {
  while (!failure_ && damage_area_.pixels() < pixels) {
    damaged_.clear();
    co_await damaged_.wait();
  }
}

Async<Change> X11Screen::update() {
  if (failure_) {
    throw Error(*failure_);
  }
  damage_area_ = {};
  auto fetched =
      co_await outcome_of(within(clock_, patience, fetch(), "the display does not answer"));
  if (!fetched.ok() && fetched.error().code() == ErrorCode::deadline_exceeded) {
    // A display that was busy for so long may be back, and what it has told then is lost.
    lost_track_ = true;
    damage_area_ = whole(picture_.size());
    co_return Change{};
  }
  co_return std::move(fetched).take();
}

Async<Change> X11Screen::fetch() {
  x11::Id region = setup_.id_base + region_number;
  connection_.send(x11::damage_take(damage_, setup_.id_base + damage_number, region));
  std::string reply = co_await connection_.call(x11::region_fetch(fixes_, region));
  Change change = x11::read_region(reply);
  change.area = clip(change.area, picture_.size());
  if (std::exchange(lost_track_, false)) {
    change = {.area = whole(picture_.size()), .pixels = whole(picture_.size()).pixels()};
  }
  if (change.area.is_empty()) {
    co_return Change{};
  }
  // Whole lines, so that each lies in the picture where it belongs.
  Area lines{.y = change.area.y, .width = picture_.size().width, .height = change.area.height};
  auto offset = static_cast<std::uint32_t>(picture_.stride() * static_cast<std::size_t>(lines.y));
  co_await connection_.call(
      x11::shm_get_image(shm_, setup_.root, lines, setup_.id_base + segment_number, offset));
  change.pixels = std::clamp<std::int64_t>(change.pixels, 1, change.area.pixels());
  co_return change;
}

void X11Screen::move_pointer(int x, int y) {
  if (!connection_.is_full()) {
    connection_.send(x11::move_pointer(test_, setup_.root, x, y));
  }
}

void X11Screen::press(x11::Press kind, std::uint8_t code) {
  bool lets_go = kind == x11::Press::key_up || kind == x11::Press::button_up;
  if (lets_go || !connection_.is_full()) {
    connection_.send(x11::press(test_, kind, code));
  }
}

void X11Screen::map_key(std::uint8_t keycode, std::uint32_t symbol) {
  if (!connection_.is_full()) {
    connection_.send(x11::map_key(keycode, symbol));
  }
}

Async<> X11Screen::settled() {
  co_await within(clock_, patience, connection_.call(x11::get_input_focus()),
                  "the display does not answer");
}

Async<std::optional<x11::Id>> X11Screen::window_with_keyboard() {
  const std::string focus = co_await connection_.call(x11::get_input_focus());
  if (auto window = x11::read_input_focus(focus, setup_.root)) {
    co_return window;
  }
  const std::string pointer = co_await connection_.call(x11::query_pointer(setup_.root));
  co_return x11::read_window_under_pointer(pointer);
}

Async<> X11Screen::presses_taken() {
  if (auto window = co_await within(clock_, patience, window_with_keyboard(),
                                    "the display does not answer")) {
    const std::uint32_t number = ++last_ping_;
    connection_.send(x11::ping(*window, ping_atoms_, number));
    auto taken = co_await outcome_of(
        within(clock_, client_patience, pong_of(number), "the browser does not answer"));
  }
}

Async<> X11Screen::pong_of(std::uint32_t number) {
  while (last_pong_ < number) {
    ponged_.clear();
    co_await ponged_.wait();
  }
}

}  // namespace capstan
