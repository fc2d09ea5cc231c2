#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"
#include "display/picture.h"
#include "io/async.h"

namespace capstan {

// Where a browser's picture comes from: its own screen, or DevTools. Owned by a Display, which
// alone calls it.
class PictureSource {
 public:
  virtual ~PictureSource() = default;

  // Listens to where the pictures come from, until that has gone.
  virtual Async<> live() = 0;
  // How often somebody looks who looks most often; nothing when nobody does. It may cost something,
  // so only while somebody looks are changes noticed.
  virtual void look(std::optional<Duration> interval) = 0;
  // Waits until so many pixels may have changed since the last update(). Who can't tell how many
  // takes any change for a large one.
  virtual Async<> changed(std::int64_t pixels) = 0;
  // Brings the picture up to date, and says what has changed since the last time. Throws
  // unavailable when there will be no more.
  virtual Async<Change> update() = 0;
};

}  // namespace capstan
