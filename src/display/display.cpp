#include "display/display.h"

#include "base/log.h"
#include "io/race.h"

namespace capstan {

Display::Display(Executor executor, Clock& clock, std::unique_ptr<Picture> picture,
                 std::unique_ptr<PictureSource> source)
    : executor_(executor),
      clock_(clock),
      picture_(std::move(picture)),
      source_(std::move(source)),
      looked_at_(executor),
      turns_(executor, 1),
      taken_at_(clock.now()),
      scope_(executor, "display") {
  scope_.spawn(live());
}

Display::Look::Look(Display& display, Duration interval)
    : display_(display), interval_(interval), changed_(display.executor_) {
  change_.area = whole(display.picture().size());
  change_.pixels = change_.area.pixels();
  if (display.has_shown_) {
    changed_.set();
  }
  display.looks_.push_back(this);
  display.looked_at_.set();
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
  SteadyTime updated_at = SteadyTime::min();
  while (true) {
    co_await looked_at_.wait();
    co_await source_->changed();
    if (!looked_at_.is_set()) {
      continue;
    }
    co_await clock_.sleep_until(updated_at + interval().value_or(Duration(0)));
    updated_at = clock_.now();
    Change change = co_await update();
    if (!change.area.is_empty()) {
      has_shown_ = true;
      taken_at_ = updated_at;
      tell(change);
    }
  }
}

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

void Display::tell(const Change& change) {
  for (Look* look : looks_) {
    look->change_.add(change);
    look->changed_.set();
  }
}

Async<> Display::close() { co_await scope_.close(); }

}  // namespace capstan
