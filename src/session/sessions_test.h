#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "io/loop_test.h"
#include "io/race.h"
#include "session/sessions.h"

namespace capstan {

// The ground under the tests of sessions and runs: a real Chromium, a database in a file, and a
// clock that the test moves. There is room for one session at a time.
class SessionsTest : public LoopTest {
 public:
  // Makes the teams, runs the body, and closes what that left, even if it failed.
  void run(Async<> body) { LoopTest::run(live(std::move(body))); }

  SessionOrder order(SessionConfig config = {}, std::string run_id = {}) const;
  // A session whose browser is there.
  Async<std::shared_ptr<Session>> open(SessionOrder order);
  Async<std::optional<SessionRow>> row_of(SessionId id);

  // From now on the database refuses such writes: "update on sessions". One kind at a time.
  Async<> refuse(std::string writes);
  Async<> refuse_no_more();
  // Returns once the database is through with all writes that were handed in, refused or not, and
  // whoever waited for them knows.
  Async<> writes_done();

  // Fails the test, instead of waiting on, when the work takes too long in real time.
  template <class T>
  Async<T> soon(Async<T> work) {
    return within(real_clock_, std::chrono::seconds(20), std::move(work), "waited in vain");
  }

 protected:
  static constexpr std::uint64_t seed = 23;
  testing::ScopedTrace trace_{__FILE__, __LINE__, "seed " + std::to_string(seed)};
  SystemClock real_clock_;
  SeededRandom random_{seed};
  const TeamId acme_ = TeamId::make(clock_.wall_now(), random_);
  const TeamId other_ = TeamId::make(clock_.wall_now(), random_);
  Metrics metrics_;
  TemporaryFolder folder_{std::filesystem::temp_directory_path(), "sessions-test-"};
  Database database_{folder_.path() / "capstan.db"};
  Workers workers_{2};
  WorkFolder work_folder_{std::filesystem::temp_directory_path(), workers_};
  Cage cage_{executor(), work_folder_};
  Browsers browsers_{executor(), clock_,   workers_,
                     cage_,      metrics_, {.warm_headful = 0, .warm_headless = 0}};
  const Exits exits_{{{.place = {"de"}, .proxy = {.host = "exit.example", .port = 1}}}};
  const Sealer sealer_{{{.id = "of the test"}}, random_};
  // Pages of the tests are served on this machine.
  Gateways gateways_{executor(), clock_, metrics_, {.allow = {"127.0.0.1"}}};
  Recordings recordings_{executor(), clock_, database_, workers_, folder_.path() / "recordings",
                         {}};
  // They have no encoder, so nothing is recorded.
  Recorders recorders_{executor(),
                       clock_,
                       random_,
                       workers_,
                       cage_,
                       recordings_,
                       {.video = {.ffmpeg = "/nowhere/ffmpeg"}}};
  Sessions sessions_{
      executor(), clock_,    random_,
      database_,  browsers_, gateways_,
      recorders_, workers_,  exits_,
      sealer_,    metrics_,  {.sessions_max = 1, .default_kind = BrowserKind::headless}};

 private:
  Async<> live(Async<> body);
  Async<> make_teams();
};

}  // namespace capstan
