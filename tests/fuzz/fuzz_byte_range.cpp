#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/byte_range.h"
#include "http/file_response.h"

namespace capstan {
namespace {

// A part lies within the file, and asking for it by its own numbers gives it again.
void check_range(std::string_view range, std::uint64_t size) {
  WantedBytes wanted = read_range(range, size);
  if (const auto* part = std::get_if<ByteRange>(&wanted)) {
    CHECK(part->length > 0 && part->offset < size && part->length <= size - part->offset);
    std::string again = "bytes=" + std::to_string(part->offset) + "-" +
                        std::to_string(part->offset + part->length - 1);
    CHECK(read_range(again, size) == wanted);
  }
}

// Whatever the three headers hold, the answer is one of four, and consistent.
void check_answer(std::string_view text, std::uint64_t size) {
  Request request;
  for (const char* name : {"range", "if-range", "if-none-match"}) {
    std::string_view value = text.substr(0, text.find('\n'));
    request.headers.push_back({name, std::string(value)});
    text.remove_prefix(std::min(value.size() + 1, text.size()));
  }
  Response response = file_response(
      {.file = {}, .size = size, .etag = "\"a\"", .content_type = "video/mp4", .name = "a.mp4"},
      request);
  bool has_file = response.status == 200 || response.status == 206;
  CHECK(has_file || response.status == 304 || response.status == 416);
  CHECK(has_file == response.file.has_value());
  if (response.status == 200) {
    CHECK(response.file->offset == 0 && response.file->length == size);
  }
}

}  // namespace
}  // namespace capstan

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace capstan;
  std::uint64_t file_size = 0;
  if (size < sizeof(file_size)) {
    return 0;
  }
  std::memcpy(&file_size, bytes, sizeof(file_size));
  std::string_view text(reinterpret_cast<const char*>(bytes) + sizeof(file_size),
                        size - sizeof(file_size));
  check_range(text, file_size);
  check_answer(text, file_size);
  return 0;
}
