#include "display/matroska.h"

#include <string_view>

namespace capstan::matroska {
namespace {

std::string big_endian(std::uint64_t value, std::size_t bytes) {
  std::string text;
  for (std::size_t i = bytes; i-- > 0;) {
    text.push_back(static_cast<char>(value >> (8 * i)));
  }
  return text;
}

// A length in eight bytes, the first of which says so.
std::string length(std::uint64_t bytes) {
  constexpr std::uint64_t eight_bytes = std::uint64_t{1} << 56;
  return big_endian(eight_bytes | bytes, 8);
}

std::string id(std::uint32_t value) {
  std::size_t bytes = value > 0xffffff ? 4 : value > 0xffff ? 3 : value > 0xff ? 2 : 1;
  return big_endian(value, bytes);
}

std::string element(std::uint32_t name, std::string_view content) {
  return id(name) + length(content.size()) + std::string(content);
}

std::string number(std::uint32_t name, std::uint64_t value) {
  return element(name, big_endian(value, 8));
}

}  // namespace

std::string head(PictureSize size) {
  std::string document = number(0x4286, 1) +            // EBMLVersion
                         number(0x42f7, 1) +            // EBMLReadVersion
                         number(0x42f2, 4) +            // EBMLMaxIDLength
                         number(0x42f3, 8) +            // EBMLMaxSizeLength
                         element(0x4282, "matroska") +  // DocType
                         number(0x4287, 4) +            // DocTypeVersion
                         number(0x4285, 2);             // DocTypeReadVersion
  std::string info = number(0x2ad7b1, 1'000'000) +      // TimestampScale: milliseconds
                     element(0x4d80, "Capstan") +       // MuxingApp
                     element(0x5741, "Capstan");        // WritingApp
  std::string video = number(0xb0, static_cast<std::uint64_t>(size.width)) +   // PixelWidth
                      number(0xba, static_cast<std::uint64_t>(size.height)) +  // PixelHeight
                      element(0x2eb524, "I420");                               // UncompressedFourCC
  std::string track = number(0xd7, 1) +                                        // TrackNumber
                      number(0x73c5, 1) +                                      // TrackUID
                      number(0x83, 1) +                                        // TrackType: video
                      element(0x86, "V_UNCOMPRESSED") +                        // CodecID
                      element(0xe0, video);
  constexpr std::uint64_t unknown_length = (std::uint64_t{1} << 56) - 1;
  return element(0x1a45dfa3, document) +             // EBML
         id(0x18538067) + length(unknown_length) +   // Segment
         element(0x1549a966, info) +                 // Info
         element(0x1654ae6b, element(0xae, track));  // Tracks
}

std::string frame_head(std::uint64_t time_ms, std::size_t frame_bytes) {
  constexpr std::string_view block_head("\x81\0\0\x80",
                                        4);  // track 1, at the cluster's time, whole
  std::string time = number(0xe7, time_ms);  // Timestamp
  std::string block = id(0xa3) + length(block_head.size() + frame_bytes) + std::string(block_head);
  return id(0x1f43b675) + length(time.size() + block.size() + frame_bytes) + time + block;
}

}  // namespace capstan::matroska
