#include "session/recording_table.h"

#include "session/recordings_test.h"

namespace capstan {

using namespace std::chrono_literals;

class RecordingTableTest : public RecordingsTest {};

ASYNC_TEST(RecordingTableTest, a_row_comes_back_as_it_was) {
  SessionId session = co_await add_session();
  RecordingRow row = row_of(session);
  row.is_primary = true;
  co_await table_.insert(row);
  auto found = co_await table_.find(acme_, session, row.id);
  EXPECT_TRUE(found);
  EXPECT_EQ(found->id, row.id);
  EXPECT_EQ(found->session, session);
  EXPECT_EQ(found->team, acme_);
  EXPECT_TRUE(found->is_primary);
  EXPECT_EQ(found->created_at, clock_.wall_now());
  EXPECT_EQ(found->width, 1440);
  EXPECT_EQ(found->height, 900);
  EXPECT_EQ(found->progress, RecordingProgress());
}

ASYNC_TEST(RecordingTableTest, anothers_row_is_not_there) {
  SessionId session = co_await add_session();
  SessionId next = co_await add_session();
  RecordingRow row = co_await add_ready(session);
  EXPECT_FALSE(co_await table_.find(other_, session, row.id));
  EXPECT_FALSE(co_await table_.find(acme_, next, row.id));
  EXPECT_FALSE(co_await table_.find_primary(other_, session));
  EXPECT_TRUE((co_await table_.list(other_, session)).empty());
  EXPECT_TRUE((co_await table_.list(acme_, next)).empty());
  EXPECT_FALSE(co_await table_.remove(other_, session, row.id));
  EXPECT_FALSE(co_await table_.remove(acme_, next, row.id));
  EXPECT_TRUE(co_await is_there(row));
}

ASYNC_TEST(RecordingTableTest, one_of_a_session_is_primary) {
  SessionId session = co_await add_session();
  EXPECT_FALSE(co_await table_.find_primary(acme_, session));
  RecordingRow first = row_of(session);
  first.is_primary = true;
  co_await table_.insert(first);
  co_await table_.insert(row_of(session));
  RecordingRow second = row_of(session);
  second.is_primary = true;
  auto refused = co_await outcome_of(table_.insert(second));
  EXPECT_EQ(refused.error().code(), ErrorCode::conflict);
  EXPECT_EQ((co_await table_.find_primary(acme_, session))->id, first.id);
  RecordingRow elsewhere = row_of(co_await add_session());
  elsewhere.is_primary = true;
  co_await table_.insert(elsewhere);
}

ASYNC_TEST(RecordingTableTest, they_come_in_the_order_of_their_beginnings) {
  SessionId session = co_await add_session();
  std::vector<RecordingId> ids;
  for (int i = 0; i < 3; ++i) {
    ids.push_back((co_await add_ready(session)).id);
    clock_.advance(1s);
  }
  std::vector<RecordingId> listed;
  for (const RecordingRow& row : co_await table_.list(acme_, session)) {
    listed.push_back(row.id);
  }
  EXPECT_EQ(listed, ids);
}

ASYNC_TEST(RecordingTableTest, a_recording_goes_on_until_it_has_ended) {
  SessionId session = co_await add_session();
  for (RecordingState state :
       {RecordingState::ready, RecordingState::partial, RecordingState::failed}) {
    RecordingRow row = co_await add(session, {});
    const RecordingProgress later{.duration = 3s, .bytes = 4711};
    co_await table_.update(row.id, later);
    EXPECT_EQ(co_await progress_of(row), later);
    const RecordingProgress late{.state = RecordingState::finalizing, .duration = 4s, .bytes = 9};
    co_await table_.update(row.id, late);
    EXPECT_EQ(co_await progress_of(row), late);
    clock_.advance(1s);
    const RecordingProgress ended{.state = state,
                                  .ended_at = clock_.wall_now(),
                                  .duration = 4321ms,
                                  .bytes = std::uint64_t{5} << 30,
                                  .note = "why"};
    co_await table_.update(row.id, ended);
    co_await table_.update(row.id, late);
    EXPECT_EQ(co_await progress_of(row), ended) << to_text(state);
  }
}

ASYNC_TEST(RecordingTableTest, what_has_not_ended_is_left_over) {
  SessionId session = co_await add_session();
  RecordingRow recording = co_await add(session, {});
  clock_.advance(1s);
  RecordingRow finalizing = co_await add(session, {.state = RecordingState::finalizing});
  co_await add_ready(session);
  auto left = co_await table_.left_over();
  EXPECT_EQ(left.size(), 2U);
  EXPECT_EQ(left.at(0).id, recording.id);
  EXPECT_EQ(left.at(1).id, finalizing.id);
}

ASYNC_TEST(RecordingTableTest, tells_which_it_knows) {
  RecordingRow row = co_await add_ready(co_await add_session());
  RecordingId unknown = RecordingId::make(clock_.wall_now(), random_);
  auto known = co_await table_.known_of({unknown, row.id});
  EXPECT_EQ(known, std::vector{row.id});
  EXPECT_TRUE((co_await table_.known_of({})).empty());
}

ASYNC_TEST(RecordingTableTest, counts_bytes_and_tells_what_is_oldest) {
  EXPECT_EQ(co_await table_.total_bytes(), 0U);
  SessionId session = co_await add_session();
  co_await add(session, {.bytes = 1});
  RecordingRow first = co_await add_ready(session, 10);
  clock_.advance(1h);
  co_await add(session, {.state = RecordingState::failed, .ended_at = clock_.wall_now()});
  clock_.advance(1h);
  RecordingRow second = co_await add_ready(session, std::uint64_t{3} << 40);
  EXPECT_EQ(co_await table_.total_bytes(), (std::uint64_t{3} << 40) + 11);
  EXPECT_EQ((co_await table_.oldest_ended(1)).at(0).id, first.id);
  auto oldest = co_await table_.oldest_ended(10);
  EXPECT_EQ(oldest.size(), 2U) << "one without bytes makes no room";
  EXPECT_EQ(oldest.at(1).id, second.id);
  EXPECT_EQ((co_await table_.ended_before(clock_.wall_now(), 10)).size(), 2U);
  EXPECT_EQ((co_await table_.ended_before(clock_.wall_now(), 1)).at(0).id, first.id);
  EXPECT_EQ((co_await table_.ended_before(clock_.wall_now() + 1ms, 10)).size(), 3U);
  EXPECT_TRUE((co_await table_.ended_before(*first.progress.ended_at, 10)).empty());
}

ASYNC_TEST(RecordingTableTest, removes_a_row_once) {
  RecordingRow row = co_await add_ready(co_await add_session());
  EXPECT_TRUE(co_await table_.remove(row.team, row.session, row.id));
  EXPECT_FALSE(co_await table_.remove(row.team, row.session, row.id));
  EXPECT_FALSE(co_await is_there(row));
}

}  // namespace capstan
