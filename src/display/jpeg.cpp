#include "display/jpeg.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <turbojpeg.h>

#include "base/error.h"

namespace capstan {
namespace {

// What the library can leave out while it decodes.
constexpr int smallest_part = 8;
// A picture may be long or wide, so that only one of its sides can be halved.
constexpr std::int64_t pixels_factor_max = 8;

struct Destroy {
  void operator()(void* handle) const { ::tjDestroy(handle); }
};
using Codec = std::unique_ptr<void, Destroy>;

Error jpeg_error(void* handle, const char* message) {
  return Error(ErrorCode::unavailable, message, ::tjGetErrorStr2(handle));
}

// What of a line has changed, from its first to its last pixel.
Area changed_part(const std::uint8_t* line, const std::uint8_t* wanted, int y, int width) {
  int first = 0;
  while (first < width && std::memcmp(line + first * 4, wanted + first * 4, 4) == 0) {
    ++first;
  }
  int last = width - 1;
  while (last > first && std::memcmp(line + last * 4, wanted + last * 4, 4) == 0) {
    --last;
  }
  return {.x = first, .y = y, .width = last - first + 1, .height = 1};
}

std::string encode(const std::uint8_t* pixels, std::size_t stride, PictureSize size, int quality) {
  Codec codec(::tjInitCompress());
  std::string jpeg(::tjBufSize(size.width, size.height, TJSAMP_420), '\0');
  auto* bytes = reinterpret_cast<unsigned char*>(jpeg.data());
  unsigned long length = jpeg.size();
  if (::tjCompress2(codec.get(), pixels, size.width, static_cast<int>(stride), size.height,
                    TJPF_BGRX, &bytes, &length, TJSAMP_420, quality,
                    TJFLAG_NOREALLOC | TJFLAG_FASTDCT) != 0) {
    throw jpeg_error(codec.get(), "a picture could not be encoded");
  }
  jpeg.resize(length);
  return jpeg;
}

// As large as fits into the room, in its own proportions; no larger than it is.
PictureSize size_within(PictureSize size, PictureSize room) {
  double factor = std::min({1.0, static_cast<double>(room.width) / size.width,
                            static_cast<double>(room.height) / size.height});
  return {.width = std::clamp(static_cast<int>(size.width * factor), 1, room.width),
          .height = std::clamp(static_cast<int>(size.height * factor), 1, room.height)};
}

// Each pixel is the mean of those that it stands for.
Image shrink(const std::uint8_t* pixels, std::size_t stride, PictureSize from, PictureSize to) {
  Image image{.size = to, .pixels = {}};
  image.pixels.resize(static_cast<std::size_t>(whole(to).pixels()) * 4);
  std::uint8_t* next = image.pixels.data();
  for (int y = 0; y < to.height; ++y) {
    for (int x = 0; x < to.width; ++x, next += 4) {
      const int left = x * from.width / to.width;
      const int right = (x + 1) * from.width / to.width;
      const int top = y * from.height / to.height;
      const int bottom = (y + 1) * from.height / to.height;
      std::array<unsigned, 3> sums{};
      for (int row = top; row < bottom; ++row) {
        const std::uint8_t* pixel =
            pixels + static_cast<std::size_t>(row) * stride + static_cast<std::size_t>(left) * 4;
        for (int column = left; column < right; ++column, pixel += 4) {
          for (std::size_t colour = 0; colour < sums.size(); ++colour) {
            sums.at(colour) += pixel[colour];
          }
        }
      }
      auto count = static_cast<unsigned>((right - left) * (bottom - top));
      for (std::size_t colour = 0; colour < sums.size(); ++colour) {
        next[colour] = static_cast<std::uint8_t>(sums.at(colour) / count);
      }
    }
  }
  return image;
}

}  // namespace

std::string encode_jpeg(const Picture& picture, const Area& area, int quality) {
  return encode(picture.at(area), picture.stride(), {area.width, area.height}, quality);
}

std::string encode_thumbnail(const Picture& picture, int width, int quality) {
  PictureSize size = size_within(picture.size(), {.width = width, .height = picture.size().height});
  Image image = shrink(picture.at({}), picture.stride(), picture.size(), size);
  return encode(image.pixels.data(), static_cast<std::size_t>(size.width) * 4, size, quality);
}

Image decode_jpeg(std::string_view bytes, PictureSize wanted) {
  Codec codec(::tjInitDecompress());
  const auto* source = reinterpret_cast<const unsigned char*>(bytes.data());
  PictureSize size;
  int sampling = 0;
  int colours = 0;
  if (::tjDecompressHeader3(codec.get(), source, bytes.size(), &size.width, &size.height, &sampling,
                            &colours) != 0) {
    throw jpeg_error(codec.get(), "what should be a picture is none");
  }
  tjscalingfactor part{.num = 1, .denom = 1};
  while (part.denom < smallest_part && size.width >= 2 * part.denom * wanted.width &&
         size.height >= 2 * part.denom * wanted.height) {
    part.denom *= 2;
  }
  Image image{.size = {.width = TJSCALED(size.width, part), .height = TJSCALED(size.height, part)},
              .pixels = {}};
  if (whole(image.size).pixels() > pixels_factor_max * whole(wanted).pixels()) {
    throw Error(ErrorCode::unavailable, "a picture is too large");
  }
  image.pixels.resize(static_cast<std::size_t>(whole(image.size).pixels()) * 4);
  if (::tjDecompress2(codec.get(), source, bytes.size(), image.pixels.data(), image.size.width, 0,
                      image.size.height, TJPF_BGRX, TJFLAG_FASTDCT) != 0 &&
      ::tjGetErrorCode(codec.get()) == TJERR_FATAL) {
    throw jpeg_error(codec.get(), "what should be a picture is none");
  }
  return image;
}

Image fit(Image image, PictureSize room) {
  PictureSize size = size_within(image.size, room);
  if (size == image.size) {
    return image;
  }
  return shrink(image.pixels.data(), static_cast<std::size_t>(image.size.width) * 4, image.size,
                size);
}

Change draw(const Image& image, const Picture& picture) {
  const int width = picture.size().width;
  const int drawn_width = std::min(image.size.width, width);
  std::vector<std::uint8_t> wanted(picture.stride());
  Change change;
  for (int y = 0; y < picture.size().height; ++y) {
    std::uint8_t* line = picture.at({.y = y});
    if (y < image.size.height) {
      std::size_t offset = static_cast<std::size_t>(y) * static_cast<std::size_t>(image.size.width);
      std::memcpy(wanted.data(), image.pixels.data() + offset * 4,
                  static_cast<std::size_t>(drawn_width) * 4);
    } else {
      std::fill(wanted.begin(), wanted.end(), 0);
    }
    if (std::memcmp(line, wanted.data(), wanted.size()) != 0) {
      Area part = changed_part(line, wanted.data(), y, width);
      std::memcpy(line, wanted.data(), wanted.size());
      change.add({.area = part, .pixels = part.pixels()});
    }
  }
  return change;
}

}  // namespace capstan
