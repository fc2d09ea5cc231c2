#include "display/display.h"

#include <algorithm>

#include "base/log.h"
#include "io/race.h"

namespace capstan {
namespace {

// Changes of less than this part of the picture are small.
constexpr std::int64_t small_divisor = 25;

}  // namespace

Display::Display(Executor executor, Clock& clock, std::unique_ptr<Picture> picture,
                 std::unique_ptr<PictureSource> source)
    : executor_(executor),
      clock_(clock),
      picture_(std::move(picture)),
      source_(std::move(source)),
      looked_at_(executor),
      turns_(executor, 1),
      looks_changed_(executor),
      taken_at_(clock.now()),
      scope_(executor, "display") {
  scope_.spawn(live());
}

Display::Look::Look(Display& display, Duration interval, Duration small_interval)
    : display_(display),
      interval_(interval),
      small_interval_(small_interval),
      changed_(display.executor_) {
  change_.area = whole(display.picture().size());
  change_.pixels = change_.area.pixels();
  if (display.has_shown_) {
    changed_.set();
  }
  display.looks_.push_back(this);
  display.looked_at_.set();
  display.looks_changed_.set();
  display.source_->look(display.interval());
}

Display::Look::~Look() {
  display_.looks_.remove(this);
  if (display_.looks_.empty()) {
    display_.looked_at_.clear();
  }
  display_.source_->look(display_.interval());
}

Change Display::Look::take_change() {
  if (!display_.has_ended()) {
    changed_.clear();
  }
  return std::exchange(change_, {});
}

Async<> Display::live() {
  std::vector<Async<>> works;
  works.push_back(source_->live());
  works.push_back(follow());
  auto lived = co_await outcome_of(first_of(std::move(works)));
  if (!lived.ok() && lived.error().code() != ErrorCode::cancelled) {
    log_info("display_ended",
             {{"message", lived.error().message()}, {"cause", lived.error().cause()}});
  }
  ended_ = true;
  tell({});
}

Async<> Display::follow() {
  while (true) {
    co_await wait_for_change();
    if (!looked_at_.is_set()) {
      continue;
    }
    updated_at_ = clock_.now();
    Change change = co_await update();
    if (!change.area.is_empty()) {
      has_shown_ = true;
      taken_at_ = updated_at_;
      tell(change);
    }
  }
}

Async<> Display::wait_for_change() {
  co_await looked_at_.wait();
  co_await source_->changed(1);
  co_await clock_.sleep_until(updated_at_ + interval().value_or(Duration(0)));
  looks_changed_.clear();
  const SteadyTime small_due = updated_at_ + small_interval().value_or(Duration(0));
  if (clock_.now() < small_due) {
    std::vector<Async<>> either;
    either.push_back(clock_.sleep_until(small_due));
    either.push_back(source_->changed(large_pixels()));
    either.push_back(looks_changed_.wait());  // somebody may have come who can't wait
    co_await first_of(std::move(either));
  }
}

std::int64_t Display::large_pixels() const {
  return std::max<std::int64_t>(1, whole(picture_->size()).pixels() / small_divisor);
}

bool Display::is_small(std::int64_t pixels) const { return pixels < large_pixels(); }

Async<Change> Display::update() {
  Semaphore::Permit turn = co_await turns_.acquire();
  co_return co_await source_->update();
}

std::optional<Duration> Display::interval() const {
  std::optional<Duration> shortest;
  for (const Look* look : looks_) {
    shortest = std::min(shortest.value_or(look->interval_), look->interval_);
  }
  return shortest;
}

std::optional<Duration> Display::small_interval() const {
  std::optional<Duration> shortest;
  for (const Look* look : looks_) {
    shortest = std::min(shortest.value_or(look->small_interval_), look->small_interval_);
  }
  return shortest;
}

void Display::tell(const Change& change) {
  for (Look* look : looks_) {
    look->change_.add(change);
    look->changed_.set();
  }
}

Async<> Display::close() { co_await scope_.close(); }

}  // namespace capstan
