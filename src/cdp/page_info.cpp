#include "cdp/page_info.h"

#include "base/text.h"

namespace capstan {

std::optional<PageInfo> page_info_in(const json::object& target_info, std::size_t bytes_max) {
  if (text_at(target_info, "type") != "page") {
    return std::nullopt;
  }
  auto clipped = [&](std::string_view name) {
    return std::string(clip_utf8(text_at(target_info, name).value_or(""), bytes_max));
  };
  return PageInfo{.target_id = text_at(target_info, "targetId").value_or(""),
                  .title = clipped("title"),
                  .url = clipped("url")};
}

}  // namespace capstan
