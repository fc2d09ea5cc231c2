#include "display/i420_frame.h"

#include <libyuv/convert_from_argb.h>

#include "base/check.h"

namespace capstan {
namespace {

// Colour is kept by squares of two pixels.
Area to_even(const Area& area, PictureSize size) {
  int x = area.x & ~1;
  int y = area.y & ~1;
  return clip({.x = x,
               .y = y,
               .width = (area.x + area.width - x + 1) & ~1,
               .height = (area.y + area.height - y + 1) & ~1},
              size);
}

}  // namespace

I420Frame::I420Frame(PictureSize size)
    : size_(size),
      bytes_(static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height) * 3 / 2,
             '\0') {
  CHECK(size.width % 2 == 0 && size.height % 2 == 0);
}

void I420Frame::update(const Picture& picture, const Area& area) {
  CHECK(picture.size() == size_);
  Area part = to_even(area, size_);
  int half_width = size_.width / 2;
  auto* brightness = reinterpret_cast<std::uint8_t*>(bytes_.data());
  std::uint8_t* blue = brightness + size_.width * size_.height;
  std::uint8_t* red = blue + half_width * (size_.height / 2);
  int colour_offset = part.y / 2 * half_width + part.x / 2;
  libyuv::ARGBToI420(picture.at(part), static_cast<int>(picture.stride()),
                     brightness + part.y * size_.width + part.x, size_.width, blue + colour_offset,
                     half_width, red + colour_offset, half_width, part.width, part.height);
}

}  // namespace capstan
