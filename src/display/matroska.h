#pragma once

#include <cstdint>
#include <string>

#include "display/picture.h"

namespace capstan::matroska {

// A stream of raw pictures with the time of each (RFC 9559), which is how ffmpeg is told them: once
// the head, and then for each picture its head followed by its I420 bytes.
std::string head(PictureSize size);
std::string frame_head(std::uint64_t time_ms, std::size_t frame_bytes);

}  // namespace capstan::matroska
