#include "io/channel.h"

#include <memory>
#include <vector>

#include "io/loop_test.h"
#include "io/scope.h"

namespace capstan {
namespace {

using Numbers = Channel<int>;

Async<> push_one(Numbers* channel, int item, std::size_t weight, std::vector<bool>* taken) {
  bool was_taken = co_await channel->push(item, weight);
  taken->push_back(was_taken);
}

Async<> pop_all(Numbers* channel, std::vector<int>* items) {
  while (auto item = co_await channel->pop()) {
    items->push_back(*item);
  }
  items->push_back(-1);
}

}  // namespace

class ChannelTest : public LoopTest {};

ASYNC_TEST(ChannelTest, gives_items_in_their_order) {
  Numbers channel(executor(), 100);
  Scope scope(executor(), "test");
  std::vector<int> items;
  scope.spawn(pop_all(&channel, &items));
  co_await settle();
  EXPECT_TRUE(co_await channel.push(1));
  EXPECT_TRUE(channel.push_now(2));
  EXPECT_TRUE(co_await channel.push(3));
  co_await settle();
  EXPECT_EQ(items, (std::vector{1, 2, 3}));
  EXPECT_EQ(channel.weight(), 0U);
  channel.close();
  co_await scope.drain();
  EXPECT_EQ(items, (std::vector{1, 2, 3, -1}));
}

ASYNC_TEST(ChannelTest, a_pusher_waits_while_it_is_full_by_weight) {
  Numbers channel(executor(), 10);
  Scope scope(executor(), "test");
  std::vector<bool> taken;
  EXPECT_TRUE(co_await channel.push(1, 9));
  EXPECT_FALSE(channel.is_full());
  EXPECT_TRUE(co_await channel.push(2, 1));
  EXPECT_TRUE(channel.is_full());
  EXPECT_EQ(channel.weight(), 10U);
  scope.spawn(push_one(&channel, 3, 1, &taken));
  scope.spawn(push_one(&channel, 4, 1, &taken));
  co_await settle();
  EXPECT_TRUE(taken.empty());
  EXPECT_EQ(co_await channel.pop(), 1);
  co_await scope.drain();
  EXPECT_EQ(taken, (std::vector{true, true}));
  for (int item : {2, 3, 4}) {
    EXPECT_EQ(co_await channel.pop(), item);
  }
}

ASYNC_TEST(ChannelTest, room_for_one_lets_one_pusher_in) {
  Numbers channel(executor(), 1);
  Scope scope(executor(), "test");
  std::vector<bool> taken;
  EXPECT_TRUE(co_await channel.push(0));
  for (int item : {1, 2, 3}) {
    scope.spawn(push_one(&channel, item, 1, &taken));
  }
  for (std::size_t in = 0; in < 3; ++in) {
    co_await settle();
    EXPECT_EQ(taken.size(), in);
    EXPECT_EQ(channel.weight(), 1U);
    EXPECT_TRUE(co_await channel.pop());
  }
  co_await scope.drain();
}

ASYNC_TEST(ChannelTest, one_item_of_any_weight_gets_through) {
  Numbers channel(executor(), 10);
  Scope scope(executor(), "test");
  std::vector<bool> taken;
  EXPECT_TRUE(co_await channel.push(1, 5));
  EXPECT_TRUE(co_await channel.push(2, 1'000'000));
  scope.spawn(push_one(&channel, 3, 1, &taken));
  EXPECT_EQ(co_await channel.pop(), 1);
  co_await settle();
  EXPECT_TRUE(taken.empty()) << "the heavy one is still inside";
  EXPECT_EQ(co_await channel.pop(), 2);
  co_await scope.drain();
  EXPECT_EQ(taken, (std::vector{true}));
}

ASYNC_TEST(ChannelTest, push_now_does_not_wait_and_tells_when_to_hold_back) {
  Numbers channel(executor(), 2);
  EXPECT_TRUE(channel.push_now(1, 2));
  EXPECT_TRUE(channel.is_full());
  EXPECT_TRUE(channel.push_now(2, 2));
  EXPECT_EQ(channel.weight(), 4U);
  EXPECT_EQ(co_await channel.pop(), 1);
  EXPECT_TRUE(channel.is_full());
  EXPECT_EQ(co_await channel.pop(), 2);
  EXPECT_FALSE(channel.is_full());
}

ASYNC_TEST(ChannelTest, closing_refuses_who_waits_to_push_and_drops_the_item) {
  Numbers channel(executor(), 1);
  Scope scope(executor(), "test");
  std::vector<bool> taken;
  EXPECT_TRUE(co_await channel.push(1));
  scope.spawn(push_one(&channel, 2, 1, &taken));
  co_await settle();
  channel.close();
  co_await scope.drain();
  EXPECT_EQ(taken, (std::vector{false}));
  EXPECT_FALSE(co_await channel.push(3));
  EXPECT_FALSE(channel.push_now(4));
  EXPECT_EQ(co_await channel.pop(), 1) << "what is inside can still be taken";
  EXPECT_EQ(co_await channel.pop(), std::nullopt);
  EXPECT_EQ(co_await channel.pop(), std::nullopt);
}

ASYNC_TEST(ChannelTest, several_takers_share_what_comes) {
  Numbers channel(executor(), 100);
  Scope scope(executor(), "test");
  std::vector<int> items;
  scope.spawn(pop_all(&channel, &items));
  scope.spawn(pop_all(&channel, &items));
  co_await settle();
  channel.push_now(1);
  channel.push_now(2);
  channel.push_now(3);
  co_await settle();
  EXPECT_EQ(items.size(), 3U);
  channel.close();
  co_await scope.drain();
  EXPECT_EQ(items.size(), 5U);
}

ASYNC_TEST(ChannelTest, a_cancelled_taker_takes_nothing_along) {
  Numbers channel(executor(), 100);
  Scope scope(executor(), "test");
  std::vector<int> items;
  scope.spawn(pop_all(&channel, &items));
  co_await settle();
  co_await scope.close();
  channel.push_now(1);
  EXPECT_EQ(co_await channel.pop(), 1);
  EXPECT_TRUE(items.empty());
}

ASYNC_TEST(ChannelTest, carries_what_can_only_be_moved) {
  Channel<std::unique_ptr<int>> channel(executor(), 1);
  EXPECT_TRUE(co_await channel.push(std::make_unique<int>(7)));
  auto item = co_await channel.pop();
  EXPECT_TRUE(item && *item && **item == 7);
}

}  // namespace capstan
