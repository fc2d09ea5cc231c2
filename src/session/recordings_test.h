#pragma once

#include <string>

#include "base/random.h"
#include "io/loop_test.h"
#include "session/recording_table.h"

namespace capstan {

// The ground under the tests of recordings: two teams, and sessions of the first one.
class RecordingsTest : public LoopTest {
 public:
  RecordingsTest() {
    LoopTest::run(make_teams());
    context_.restart();
  }

  Async<SessionId> add_session();
  // A row of the session, under way; its progress may be changed before it is inserted.
  RecordingRow row_of(SessionId session);
  Async<RecordingRow> add(SessionId session, RecordingProgress progress);
  // One that has ended now, with so many bytes.
  Async<RecordingRow> add_ready(SessionId session, std::uint64_t bytes = 1000);
  Async<RecordingProgress> progress_of(RecordingRow row);
  Async<bool> is_there(RecordingRow row);

 protected:
  static constexpr std::uint64_t seed = 11;
  testing::ScopedTrace trace_{__FILE__, __LINE__, "seed " + std::to_string(seed)};
  Database database_{{}};
  SeededRandom random_{seed};
  const TeamId acme_ = TeamId::make(from_unix_ms(0), random_);
  const TeamId other_ = TeamId::make(from_unix_ms(0), random_);
  SessionTable sessions_{database_};
  RecordingTable table_{database_};

 private:
  Async<> make_teams();
};

}  // namespace capstan
