#include "display/jpeg.h"

#include <cstring>
#include <memory>
#include <turbojpeg.h>

#include "base/error.h"

namespace capstan {
namespace {

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

}  // namespace

std::string encode_jpeg(const Picture& picture, const Area& area, int quality) {
  Codec codec(::tjInitCompress());
  std::string jpeg(::tjBufSize(area.width, area.height, TJSAMP_420), '\0');
  auto* bytes = reinterpret_cast<unsigned char*>(jpeg.data());
  unsigned long length = jpeg.size();
  if (::tjCompress2(codec.get(), picture.at(area), area.width, static_cast<int>(picture.stride()),
                    area.height, TJPF_BGRX, &bytes, &length, TJSAMP_420, quality,
                    TJFLAG_NOREALLOC | TJFLAG_FASTDCT) != 0) {
    throw jpeg_error(codec.get(), "a picture could not be encoded");
  }
  jpeg.resize(length);
  return jpeg;
}

Image decode_jpeg(std::string_view bytes, std::int64_t pixels_max) {
  Codec codec(::tjInitDecompress());
  const auto* source = reinterpret_cast<const unsigned char*>(bytes.data());
  Image image;
  int sampling = 0;
  int colours = 0;
  if (::tjDecompressHeader3(codec.get(), source, bytes.size(), &image.size.width,
                            &image.size.height, &sampling, &colours) != 0) {
    throw jpeg_error(codec.get(), "what should be a picture is none");
  }
  if (whole(image.size).pixels() > pixels_max) {
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
