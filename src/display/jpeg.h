#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "display/picture.h"

namespace capstan {

// Both block: 4 ms for 1440x900. They throw internal or unavailable when the library can't.

// `quality` from 1 to 100.
std::string encode_jpeg(const Picture& picture, const Area& area, int quality);

// Pixels like a Picture's, without gaps between lines.
struct Image {
  PictureSize size;
  std::vector<std::uint8_t> pixels;
};
// Foreign bytes: throws unavailable for what is no JPEG, or has more pixels than that.
Image decode_jpeg(std::string_view bytes, std::int64_t pixels_max);

// Draws the image into the upper left corner of the picture, black where it is smaller, and says
// what that has changed.
Change draw(const Image& image, const Picture& picture);

}  // namespace capstan
