#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"

namespace capstan {

// One page as DevTools lists it.
struct PageInfo {
  std::string target_id;
  std::string title;
  std::string url;
  friend bool operator==(const PageInfo&, const PageInfo&) = default;
};

// Reads a Target.TargetInfo; nothing if that is not of a page. Title and address are cut after
// `bytes_max` each, since pages make them as long as they like.
std::optional<PageInfo> page_info_in(const json::object& target_info,
                                     std::size_t bytes_max = SIZE_MAX);

}  // namespace capstan
