#include "cage/user_ids.h"

#include <set>
#include <unistd.h>

#include <gtest/gtest.h>

namespace capstan {
namespace {

constexpr int block_size = user_id_block_size;

TEST(UserIds, are_never_given_twice) {
  UserIds ids;
  UserIds of_another_server;
  ASSERT_FALSE(ids.has_free());
  ids.add(ids.lease_block());
  of_another_server.add(of_another_server.lease_block());
  std::set<std::uint32_t> given;
  for (int i = 0; i < block_size; ++i) {
    given.insert(ids.take());
    given.insert(of_another_server.take());
  }
  EXPECT_EQ(given.size(), 2U * block_size);
  EXPECT_FALSE(ids.has_free());
}

TEST(UserIds, of_a_block_that_was_used_are_told_from_those_of_strangers) {
  UserIdBlock first = UserIds().lease_block();
  ASSERT_EQ(::ftruncate(first.lock.get(), 0), 0);  // as if nobody had ever used it
  UserIdBlock second = UserIds().lease_block(first.first + block_size);
  EXPECT_GT(second.first, first.first);
  std::uint32_t leased = first.first;
  {
    UserIdBlock unused = std::move(first);
  }
  UserIdBlock still_unused = UserIds().lease_block(leased);
  ASSERT_EQ(still_unused.first, leased);
  EXPECT_FALSE(still_unused.was_used);
  {
    UserIds ids;
    ids.add(std::move(still_unused));
  }
  UserIdBlock again = UserIds().lease_block(leased);
  EXPECT_EQ(again.first, leased);
  EXPECT_TRUE(again.was_used);
}

TEST(UserIds, rest_for_as_long_as_possible_before_they_are_given_again) {
  UserIds ids;
  ids.add(ids.lease_block());
  std::uint32_t first = ids.take();
  ids.give_back(first);
  for (int i = 1; i < block_size; ++i) {
    std::uint32_t user = ids.take();
    EXPECT_NE(user, first);
    ids.give_back(user);
  }
  EXPECT_EQ(ids.take(), first);
}

}  // namespace
}  // namespace capstan
