#pragma once

#include <string>
#include <string_view>

#include "display/picture.h"

namespace capstan {

// A picture as video encoders take it: brightness for each pixel, and colour for each four (I420,
// BT.601, limited range). Width and height are even.
class I420Frame {
 public:
  explicit I420Frame(PictureSize size);

  // Takes over what has changed. Blocks for up to a millisecond.
  void update(const Picture& picture, const Area& area);
  std::string_view bytes() const { return bytes_; }
  PictureSize size() const { return size_; }

 private:
  const PictureSize size_;
  std::string bytes_;
};

}  // namespace capstan
