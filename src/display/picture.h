#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "io/file.h"

namespace capstan {

struct PictureSize {
  int width = 0;
  int height = 0;
  friend bool operator==(const PictureSize&, const PictureSize&) = default;
};

// A part of a picture, in pixels from its upper left corner. Empty if it has no width or no height.
struct Area {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
  friend bool operator==(const Area&, const Area&) = default;

  bool is_empty() const { return width <= 0 || height <= 0; }
  std::int64_t pixels() const { return is_empty() ? 0 : static_cast<std::int64_t>(width) * height; }
};

// The smallest area that holds both.
Area join(const Area& one, const Area& other);
// What of the area lies inside a picture of this size.
Area clip(const Area& area, PictureSize size);
Area whole(PictureSize size);

// What has changed: the smallest area that holds all of it, and about how many pixels.
struct Change {
  Area area;
  std::int64_t pixels = 0;

  void add(const Change& other) {
    area = join(area, other.area);
    pixels = std::min(pixels + other.pixels, area.pixels());
  }
};

// The pixels of a screen, four bytes each: blue, green, red, and one of no meaning. They lie in a
// file in memory whose size can't be changed, so that it can be handed to a display to draw into;
// what a hostile one writes there are wrong colours and nothing else.
class Picture {
 public:
  // Black. Throws unavailable when there is no memory.
  explicit Picture(PictureSize size);
  ~Picture();
  Picture(const Picture&) = delete;
  Picture& operator=(const Picture&) = delete;

  PictureSize size() const { return size_; }
  std::size_t stride() const { return static_cast<std::size_t>(size_.width) * 4; }
  // Of the pixel at the upper left corner of the area, which lies inside.
  std::uint8_t* at(const Area& area) const {
    return pixels_.data() + static_cast<std::size_t>(area.y) * stride() +
           static_cast<std::size_t>(area.x) * 4;
  }
  const Fd& file() const { return file_; }

 private:
  const PictureSize size_;
  Fd file_;
  std::span<std::uint8_t> pixels_;
};

}  // namespace capstan
