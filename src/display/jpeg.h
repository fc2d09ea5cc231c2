#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "display/picture.h"

namespace capstan {

// All that code or decode block: 4 ms for 1440x900. They throw unavailable when the library can't.

// `quality` from 1 to 100.
std::string encode_jpeg(const Picture& picture, const Area& area, int quality);
// The whole picture in small, of that width.
std::string encode_thumbnail(const Picture& picture, int width, int quality);

// Pixels like a Picture's, without gaps between lines.
struct Image {
  PictureSize size;
  std::vector<std::uint8_t> pixels;
};
// Foreign bytes: throws unavailable for what is no JPEG, or is beyond measure. One that is at least
// twice as wide and high as `wanted` comes in a half, a quarter or an eighth of its size.
Image decode_jpeg(std::string_view bytes, PictureSize wanted);
// The same, or as large as fits into that size, in its own proportions.
Image fit(Image image, PictureSize room);

// Draws the image into the upper left corner of the picture, black where it is smaller, and says
// what that has changed.
Change draw(const Image& image, const Picture& picture);

}  // namespace capstan
