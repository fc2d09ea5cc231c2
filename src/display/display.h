#pragma once

#include <list>
#include <memory>

#include "display/picture_source.h"
#include "io/clock.h"
#include "io/scope.h"
#include "io/semaphore.h"

namespace capstan {

// How long after its display a session may end; when it goes on, the display alone has gone.
inline constexpr Duration display_end_patience = std::chrono::seconds(2);

// What one browser shows: a picture that is kept up to date while somebody looks at it, and costs
// nothing while nobody does. Owned by its Browser, who awaits close() before destroying it.
class Display {
 public:
  // `source` draws into `picture`.
  Display(Executor executor, Clock& clock, std::unique_ptr<Picture> picture,
          std::unique_ptr<PictureSource> source);

  const Picture& picture() const { return *picture_; }
  // When what the picture shows was taken.
  SteadyTime taken_at() const { return taken_at_; }
  // Whether there has been a picture yet.
  bool has_shown() const { return has_shown_; }
  // No picture will come any more.
  bool has_ended() const { return ended_; }

  // Whether so few pixels have changed that some may let it wait: a spinner, a caret.
  bool is_small(std::int64_t pixels) const;

  // Somebody who looks, at most once per `interval`, and at small changes once per
  // `small_interval`. The display outlives it, but may end before.
  class Look {
   public:
    Look(Display& display, Duration interval, Duration small_interval);
    Look(Display& display, Duration interval) : Look(display, interval, interval) {}
    ~Look();
    Look(const Look&) = delete;
    Look& operator=(const Look&) = delete;

    // Waits until the picture has changed since take_change(), or the display has ended. Changed is
    // at first all that it shows, once it shows something.
    Async<> changed() { return changed_.wait(); }
    // What has changed so far.
    const Change& change() const { return change_; }
    Change take_change();

   private:
    friend class Display;
    Display& display_;
    const Duration interval_;
    const Duration small_interval_;
    Change change_;
    Event changed_;
  };

  // While a permit lasts the picture stays as it is: for those who read its pixels on another
  // thread.
  Async<Semaphore::Permit> hold() { return turns_.acquire(); }

  Async<> close();

 private:
  Async<> live();
  Async<> follow();
  Async<Change> update();
  Async<> wait_for_change();
  std::optional<Duration> interval() const;
  std::optional<Duration> small_interval() const;
  std::int64_t large_pixels() const;
  void tell(const Change& change);

  Executor executor_;
  Clock& clock_;
  std::unique_ptr<Picture> picture_;
  std::unique_ptr<PictureSource> source_;
  std::list<Look*> looks_;
  Event looked_at_;
  Semaphore turns_;
  Event looks_changed_;
  SteadyTime updated_at_ = SteadyTime::min();
  SteadyTime taken_at_;
  bool has_shown_ = false;  // before, the picture is black
  bool ended_ = false;
  Scope scope_;
};

}  // namespace capstan
