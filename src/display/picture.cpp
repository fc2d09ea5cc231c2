#include "display/picture.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"

namespace capstan {

Area join(const Area& one, const Area& other) {
  if (one.is_empty()) {
    return other;
  }
  if (other.is_empty()) {
    return one;
  }
  int x = std::min(one.x, other.x);
  int y = std::min(one.y, other.y);
  return {.x = x,
          .y = y,
          .width = std::max(one.x + one.width, other.x + other.width) - x,
          .height = std::max(one.y + one.height, other.y + other.height) - y};
}

Area clip(const Area& area, PictureSize size) {
  int left = std::clamp(area.x, 0, size.width);
  int top = std::clamp(area.y, 0, size.height);
  return {.x = left,
          .y = top,
          .width = std::clamp(area.x + area.width, left, size.width) - left,
          .height = std::clamp(area.y + area.height, top, size.height) - top};
}

Area whole(PictureSize size) { return {.width = size.width, .height = size.height}; }

Picture::Picture(PictureSize size)
    : size_(size), file_(::memfd_create("capstan-picture", MFD_CLOEXEC | MFD_ALLOW_SEALING)) {
  std::size_t bytes = stride() * static_cast<std::size_t>(size.height);
  void* memory = MAP_FAILED;
  if (file_ && ::ftruncate(file_.get(), static_cast<off_t>(bytes)) == 0 &&
      ::fcntl(file_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) {
    memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
  }
  if (memory == MAP_FAILED) {
    throw Error(ErrorCode::unavailable, "no memory for a picture");
  }
  pixels_ = {static_cast<std::uint8_t*>(memory), bytes};
}

Picture::~Picture() { ::munmap(pixels_.data(), pixels_.size()); }

}  // namespace capstan
