#include "cdp/page_info.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

TEST(PageInfoTest, is_read_of_pages_alone_and_cut) {
  json::object info{{"type", "page"}, {"targetId", "T"}, {"title", "grüße"}, {"url", "http://a/b"}};
  EXPECT_EQ(page_info_in(info),
            (PageInfo{.target_id = "T", .title = "grüße", .url = "http://a/b"}));
  EXPECT_EQ(page_info_in(info, 3), (PageInfo{.target_id = "T", .title = "gr", .url = "htt"}));
  info["type"] = "worker";
  EXPECT_EQ(page_info_in(info), std::nullopt);
  EXPECT_EQ(page_info_in({}), std::nullopt);
}

}  // namespace
}  // namespace capstan
