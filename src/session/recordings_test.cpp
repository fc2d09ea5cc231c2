#include "session/recordings.h"

#include <sys/stat.h>

#include "session/recordings_test.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

bool is_file(const std::filesystem::path& path) { return std::filesystem::exists(path); }

Async<> note_outcome(Async<RecordingRow> work, std::optional<Outcome<RecordingRow>>* outcome) {
  *outcome = co_await outcome_of(std::move(work));
}

}  // namespace

Async<> RecordingsTest::make_teams() {
  co_await database_.write([this](Transaction& tx) {
    for (const auto& [id, name] : {std::pair(acme_, "acme"), std::pair(other_, "other")}) {
      tx.execute("insert into teams (id, name, created_at) values ($1, $2, 0)",
                 {id.text(), std::string(name)});
    }
  });
}

Async<SessionId> RecordingsTest::add_session() {
  SessionRow row{.id = SessionId::make(clock_.wall_now(), random_),
                 .team = acme_,
                 .run = {},
                 .status = SessionStatus::running,
                 .configuration = {},
                 .created_at = clock_.wall_now(),
                 .ended_at = {}};
  co_await sessions_.insert(row);
  co_return row.id;
}

RecordingRow RecordingsTest::row_of(SessionId session) {
  return {.id = RecordingId::make(clock_.wall_now(), random_),
          .session = std::move(session),
          .team = acme_,
          .created_at = clock_.wall_now(),
          .width = 1440,
          .height = 900};
}

Async<RecordingRow> RecordingsTest::add(SessionId session, RecordingProgress progress) {
  RecordingRow row = row_of(std::move(session));
  row.progress = std::move(progress);
  co_await table_.insert(row);
  co_return row;
}

Async<RecordingRow> RecordingsTest::add_ready(SessionId session, std::uint64_t bytes) {
  RecordingProgress progress{.state = RecordingState::ready,
                             .ended_at = clock_.wall_now(),
                             .duration = 5s,
                             .bytes = bytes};
  co_return co_await add(std::move(session), std::move(progress));
}

Async<RecordingProgress> RecordingsTest::progress_of(RecordingRow row) {
  auto found = co_await table_.find(row.team, row.session, row.id);
  EXPECT_TRUE(found);
  co_return found ? found->progress : RecordingProgress();
}

Async<bool> RecordingsTest::is_there(RecordingRow row) {
  co_return (co_await table_.find(row.team, row.session, row.id)).has_value();
}

class RecordingFilesTest : public RecordingsTest {
 public:
  // Closes what the body left running, even if it failed.
  void run(Async<> body) { LoopTest::run(live(std::move(body))); }

  // One that has ended, with its files.
  Async<RecordingRow> add_with_files(SessionId session, std::uint64_t bytes) {
    RecordingRow row = co_await add_ready(std::move(session), bytes);
    write_private_file(recordings_.folder().video(row.id), "the video");
    write_private_file(recordings_.folder().timeline(row.id), "{}");
    co_return row;
  }

  Async<> expect_gone(RecordingRow row) {
    EXPECT_FALSE(co_await is_there(row));
    EXPECT_FALSE(is_file(recordings_.folder().video(row.id)));
    EXPECT_FALSE(is_file(recordings_.folder().part(row.id)));
    EXPECT_FALSE(is_file(recordings_.folder().timeline(row.id)));
  }

  Async<> expect_kept(RecordingRow row) {
    EXPECT_TRUE(co_await is_there(row));
    EXPECT_TRUE(is_file(recordings_.folder().video(row.id)));
  }

  Async<std::string> contents(RecordingFile file) {
    std::string text(file.open.bytes, ' ');
    EXPECT_EQ(::pread(file.open.file->get(), text.data(), text.size(), 0),
              static_cast<ssize_t>(text.size()));
    co_return text;
  }

  // Waits in real time, as files are worked on by other threads.
  Async<> swept_until_gone(RecordingRow row) {
    for (int look = 0; look < 1000 && co_await is_there(row); ++look) {
      co_await real_clock_.sleep(5ms);
    }
    co_await real_clock_.sleep(20ms);
  }

 protected:
  SystemClock real_clock_;
  TemporaryFolder folder_{std::filesystem::temp_directory_path(), "recordings-test-"};
  Workers workers_{2};
  Recordings recordings_{executor(),
                         clock_,
                         database_,
                         workers_,
                         folder_.path() / "recordings",
                         {.kept_max = std::chrono::days(3), .bytes_max = 10'000}};

 private:
  Async<> live(Async<> body) {
    auto outcome = co_await outcome_of(std::move(body));
    co_await recordings_.close();
    std::move(outcome).take();
  }
};

TEST_F(RecordingFilesTest, lie_in_a_folder_of_their_owners) {
  struct stat status{};
  ASSERT_EQ(::stat((folder_.path() / "recordings").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
  write_private_file(folder_.path() / "file", "");
  for (const char* place : {"file", "file/deeper", "nowhere/deeper"}) {
    auto refused = outcome_of_call(
        [&] { Recordings(executor(), clock_, database_, workers_, folder_.path() / place, {}); });
    EXPECT_EQ(refused.error().code(), ErrorCode::invalid_argument) << place;
  }
}

ASYNC_TEST(RecordingFilesTest, are_found_by_id_and_the_primary_one_by_that_word) {
  SessionId session = co_await add_session();
  RecordingRow first = row_of(session);
  first.is_primary = true;
  co_await table_.insert(first);
  RecordingRow second = co_await add_ready(session);
  EXPECT_EQ((co_await recordings_.find(acme_, session, "primary")).id, first.id);
  EXPECT_EQ((co_await recordings_.find(acme_, session, second.id.text())).id, second.id);
  EXPECT_EQ((co_await recordings_.list(acme_, session)).size(), 2U);
}

ASYNC_TEST(RecordingFilesTest, of_nobody_and_of_others_are_not_found) {
  SessionId session = co_await add_session();
  RecordingRow row = co_await add_ready(session);
  std::string id = row.id.text();
  for (const auto& [team, which] :
       {std::pair(acme_, std::string("primary")), std::pair(acme_, session.text()),
        std::pair(acme_, std::string("no")), std::pair(other_, id)}) {
    auto outcome = co_await outcome_of(recordings_.find(team, session, which));
    EXPECT_EQ(outcome.error().code(), ErrorCode::not_found) << which;
    EXPECT_TRUE(outcome.error().message().starts_with("session " + session.text() + " has no"))
        << outcome.error().message();
  }
  auto long_one = co_await outcome_of(recordings_.find(acme_, session, std::string(5000, 'x')));
  EXPECT_LT(long_one.error().message().size(), 300U);
}

ASYNC_TEST(RecordingFilesTest, are_opened_once_they_have_ended) {
  RecordingRow row = co_await add_with_files(co_await add_session(), 9);
  RecordingFile video = co_await recordings_.open_video(acme_, row.session, row.id.text());
  EXPECT_EQ(video.row.id, row.id);
  EXPECT_EQ(co_await contents(video), "the video");
  RecordingFile timeline = co_await recordings_.open_timeline(acme_, row.session, row.id.text());
  EXPECT_EQ(co_await contents(timeline), "{}");
  EXPECT_NE(video.open.version, timeline.open.version);
  RecordingFile again = co_await recordings_.open_video(acme_, row.session, row.id.text());
  EXPECT_EQ(again.open.version, video.open.version);
  write_private_file(recordings_.folder().video(row.id), "another");
  RecordingFile changed = co_await recordings_.open_video(acme_, row.session, row.id.text());
  EXPECT_NE(changed.open.version, video.open.version);
}

ASYNC_TEST(RecordingFilesTest, that_are_not_there_are_not_found) {
  RecordingRow row = co_await add_ready(co_await add_session());
  auto video = co_await outcome_of(recordings_.open_video(acme_, row.session, row.id.text()));
  EXPECT_EQ(video.error().code(), ErrorCode::not_found);
  EXPECT_EQ(video.error().message(), "recording " + row.id.text() + " has no file");
  std::filesystem::create_directory(recordings_.folder().video(row.id));
  auto folder = co_await outcome_of(recordings_.open_video(acme_, row.session, row.id.text()));
  EXPECT_EQ(folder.error().code(), ErrorCode::not_found);
  write_private_file(folder_.path() / "secret", "secret");
  std::filesystem::create_symlink(folder_.path() / "secret", recordings_.folder().timeline(row.id));
  auto link = co_await outcome_of(recordings_.open_timeline(acme_, row.session, row.id.text()));
  EXPECT_EQ(link.error().message(), "recording " + row.id.text() + " has no timeline");
}

ASYNC_TEST(RecordingFilesTest, of_one_that_goes_on_or_has_failed_are_not_opened) {
  SessionId session = co_await add_session();
  RecordingRow row = co_await add(session, {});
  auto going_on = co_await outcome_of(recordings_.open_video(acme_, session, row.id.text()));
  EXPECT_EQ(going_on.error().code(), ErrorCode::conflict);
  EXPECT_NE(going_on.error().message().find("end the session first"), std::string::npos);
  RecordingRow failed = co_await add(session, {.state = RecordingState::failed,
                                               .ended_at = clock_.wall_now(),
                                               .note = "the disk was full"});
  auto outcome = co_await outcome_of(recordings_.open_video(acme_, session, failed.id.text()));
  EXPECT_EQ(outcome.error().code(), ErrorCode::not_found);
  EXPECT_EQ(outcome.error().message(),
            "recording " + failed.id.text() + " failed: the disk was full");
}

ASYNC_TEST(RecordingFilesTest, that_are_made_ready_are_waited_for) {
  SessionId session = co_await add_session();
  RecordingRow row = co_await add(session, {.state = RecordingState::finalizing});
  Scope scope(executor(), "test");
  std::optional<Outcome<RecordingRow>> in_time;
  scope.spawn(note_outcome(recordings_.find_ended(acme_, session, row.id.text()), &in_time));
  for (int look = 0; look < 20; ++look) {
    co_await real_clock_.sleep(2ms);
    co_await let_pass(250ms);
  }
  EXPECT_FALSE(in_time);
  co_await table_.update(row.id, {.state = RecordingState::ready, .ended_at = clock_.wall_now()});
  while (!in_time) {
    co_await real_clock_.sleep(2ms);
    co_await let_pass(250ms);
  }
  EXPECT_EQ(in_time->value().progress.state, RecordingState::ready);
  co_await scope.drain();
}

ASYNC_TEST(RecordingFilesTest, of_a_session_that_has_ended_are_waited_for_at_once) {
  SessionId session = co_await add_session();
  RecordingRow row = co_await add(session, {});
  EXPECT_EQ((co_await recordings_.find(acme_, session, row.id.text())).progress.state,
            RecordingState::recording);
  co_await sessions_.end(session, SessionStatus::completed, {}, clock_.wall_now());
  EXPECT_EQ((co_await recordings_.find(acme_, session, row.id.text())).progress.state,
            RecordingState::finalizing);
  EXPECT_EQ((co_await table_.left_over()).front().progress.state, RecordingState::recording);
}

ASYNC_TEST(RecordingFilesTest, that_are_never_made_ready_are_not_waited_for_without_end) {
  SessionId session = co_await add_session();
  RecordingRow row = co_await add(session, {.state = RecordingState::finalizing});
  const SteadyTime begun = clock_.now();
  Scope scope(executor(), "test");
  std::optional<Outcome<RecordingRow>> late;
  scope.spawn(note_outcome(recordings_.find_ended(acme_, session, row.id.text()), &late));
  while (!late) {
    co_await real_clock_.sleep(2ms);
    co_await let_pass(250ms);
  }
  EXPECT_GE(clock_.now() - begun, 10s);
  EXPECT_EQ(late->error().code(), ErrorCode::conflict);
  EXPECT_EQ(late->error().retry_after(), 2s);
  co_await scope.drain();
}

ASYNC_TEST(RecordingFilesTest, are_deleted_with_their_row_once_they_have_ended) {
  SessionId session = co_await add_session();
  RecordingRow row = co_await add_with_files(session, 9);
  co_await recordings_.remove(acme_, session, row.id.text());
  co_await expect_gone(row);
  auto again = co_await outcome_of(recordings_.remove(acme_, session, row.id.text()));
  EXPECT_EQ(again.error().code(), ErrorCode::not_found);
  for (RecordingState state : {RecordingState::recording, RecordingState::finalizing}) {
    RecordingRow running = co_await add(session, {.state = state});
    write_private_file(recordings_.folder().part(running.id), "begun");
    auto refused = co_await outcome_of(recordings_.remove(acme_, session, running.id.text()));
    EXPECT_EQ(refused.error().code(), ErrorCode::conflict) << to_text(state);
    EXPECT_TRUE(is_file(recordings_.folder().part(running.id)));
  }
}

ASYNC_TEST(RecordingFilesTest, of_no_row_are_removed_at_the_start_and_nothing_else_is) {
  RecordingRow row = co_await add_with_files(co_await add_session(), 9);
  write_private_file(recordings_.folder().part(row.id), "forgotten");
  RecordingRow unfinished = co_await add(co_await add_session(), {});
  write_private_file(recordings_.folder().part(unfinished.id), "to be made ready");
  RecordingId unknown = RecordingId::make(clock_.wall_now(), random_);
  write_private_file(recordings_.folder().video(unknown), "1");
  write_private_file(recordings_.folder().part(unknown), "2");
  write_private_file(recordings_.folder().timeline(unknown), "3");
  const std::filesystem::path notes = folder_.path() / "recordings" / "notes.mp4";
  write_private_file(notes, "somebody's own");
  co_await recordings_.start();
  co_await expect_kept(row);
  EXPECT_FALSE(is_file(recordings_.folder().part(row.id)));
  EXPECT_TRUE(is_file(recordings_.folder().timeline(row.id)));
  EXPECT_TRUE(is_file(recordings_.folder().part(unfinished.id)));
  EXPECT_FALSE(is_file(recordings_.folder().video(unknown)));
  EXPECT_FALSE(is_file(recordings_.folder().part(unknown)));
  EXPECT_FALSE(is_file(recordings_.folder().timeline(unknown)));
  EXPECT_TRUE(is_file(notes));
}

ASYNC_TEST(RecordingFilesTest, are_swept_when_they_are_old) {
  SessionId session = co_await add_session();
  RecordingRow old = co_await add_with_files(session, 9);
  RecordingRow going_on = co_await add(session, {});
  write_private_file(recordings_.folder().part(going_on.id), "begun");
  clock_.advance(1ms);
  RecordingRow young = co_await add_with_files(session, 9);
  clock_.advance(std::chrono::days(3));
  co_await recordings_.sweep();
  co_await expect_gone(old);
  co_await expect_kept(young);
  EXPECT_TRUE(co_await is_there(going_on));
  EXPECT_TRUE(is_file(recordings_.folder().part(going_on.id)));
}

ASYNC_TEST(RecordingFilesTest, are_swept_oldest_first_when_they_are_too_much) {
  SessionId session = co_await add_session();
  std::vector<RecordingRow> rows;
  for (std::uint64_t bytes : {4000U, 3000U, 2000U, 1000U}) {
    rows.push_back(co_await add_with_files(session, bytes));
    clock_.advance(1s);
  }
  co_await recordings_.sweep();
  EXPECT_EQ((co_await recordings_.list(acme_, session)).size(), 4U) << "10 000 are allowed";
  RecordingRow going_on = co_await add(session, {.bytes = 5000});
  co_await recordings_.sweep();
  co_await expect_gone(rows[0]);
  co_await expect_gone(rows[1]);
  co_await expect_kept(rows[2]);
  co_await expect_kept(rows[3]);
  co_await table_.update(going_on.id, {.bytes = 20'000});
  co_await recordings_.sweep();
  EXPECT_EQ((co_await recordings_.list(acme_, session)).size(), 1U);
  EXPECT_TRUE(co_await is_there(going_on));
}

ASYNC_TEST(RecordingFilesTest, are_swept_at_the_start_and_every_ten_minutes) {
  SessionId session = co_await add_session();
  RecordingRow first = co_await add_with_files(session, 9);
  clock_.advance(std::chrono::days(2));
  RecordingRow second = co_await add_with_files(session, 9);
  clock_.advance(std::chrono::days(1) + 1s);
  co_await recordings_.start();
  co_await swept_until_gone(first);
  co_await expect_gone(first);
  clock_.advance(std::chrono::days(2) - 10min);
  co_await swept_until_gone(first);
  co_await expect_kept(second);
  co_await let_pass(10min);
  co_await swept_until_gone(second);
  co_await expect_gone(second);
}

}  // namespace capstan
