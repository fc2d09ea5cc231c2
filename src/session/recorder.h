#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/random.h"
#include "display/display.h"
#include "display/video_encoder.h"
#include "io/channel.h"
#include "io/scope.h"
#include "io/semaphore.h"
#include "session/recordings.h"
#include "session/timeline.h"

namespace capstan {

struct RecorderSettings {
  VideoSettings video = {};
  // How often a frame is taken of what keeps changing. Encoding one costs 7 ms of a processor for
  // 1440x988, however little has changed; so what is small, like a spinner or a caret, has to wait.
  Duration frame_interval = std::chrono::milliseconds(100);
  Duration small_change_interval = std::chrono::milliseconds(500);
  // Where nothing changes the file's time goes on all the same: what is lost with a power cut is
  // what came after the last frame.
  Duration heartbeat = std::chrono::seconds(1);
  // Where a recording is cut off. Its session lives on.
  std::uint64_t bytes_max = std::uint64_t{2} << 30;
  Duration length_max = std::chrono::hours(6);
  // What stays free on the disk for everything else.
  std::uint64_t free_bytes_min = std::uint64_t{256} << 20;
};

// Makes the recording of one session while it lives. Its session asks it to stop; from its last
// frame on it needs the session no more, and goes on to make the file ready.
class Recorder {
 public:
  Recorder(Executor executor, Clock& clock, Workers& workers, Cage& cage, Recordings& recordings,
           const RecorderSettings& settings, RecordingRow row, Display& display);

  const RecordingId& id() const { return row_.id; }
  // What is paused is left out of the film.
  void pause();
  void resume();
  bool is_paused() const { return paused_since_.has_value(); }
  // Whether it films no more, though its session may go on.
  bool has_ended() const { return released_.is_set(); }
  // Notes in the timeline what happens now. What happens while it is paused is left out there, too.
  void mark(std::string_view type, json::object what);
  // Films no more, and waits until the display isn't needed any more.
  Async<> stop();

  // The whole life, which Recorders alone calls, once, and never cancels: films until it is stopped
  // or can't go on, and returns how that went.
  Async<RecordingProgress> live();

 private:
  Async<> film();
  Async<> film_until_stopped(Display::Look* look);
  Async<> encode();
  Async<> encode_frames();
  Async<> note_encoders_end();
  bool can_film() const;
  Async<> wait_for_frame(Display::Look* look);
  Async<> stopped();
  Async<> take_frame(Display::Look* look);
  void check_room();
  Async<> keep_timeline();
  Duration film_time(SteadyTime now) const;

  Clock& clock_;
  Workers& workers_;
  Cage& cage_;
  Recordings& recordings_;
  const RecorderSettings& settings_;
  const RecordingRow row_;
  Display* display_;  // until released_

  Executor executor_;
  Fd file_;
  std::unique_ptr<VideoEncoder> encoder_;
  struct TimedFrame {
    std::shared_ptr<const I420Frame> frame;
    Duration time;
  };
  // What the encoder has not come to yet, so that its pace is not the camera's.
  Channel<TimedFrame> pending_;
  Outcome<void> encoded_;
  std::shared_ptr<I420Frame> frame_;  // the newest
  std::size_t frames_ = 0;
  const SteadyTime begun_at_;
  Duration paused_{0};
  std::optional<SteadyTime> paused_since_;
  SteadyTime last_frame_at_;
  Duration last_frame_time_{0};
  SteadyTime room_checked_at_;
  Timeline timeline_;
  SteadyTime timeline_kept_at_;

  bool stopping_ = false;
  Event wanted_;  // somebody wants it to stop, pause or resume
  Event released_;
  Scope scope_;
};

// Makes recorders. Owned by App, started after Recordings, and closed after the sessions.
class Recorders {
 public:
  Recorders(Executor executor, Clock& clock, Random& random, Workers& workers, Cage& cage,
            Recordings& recordings, RecorderSettings settings);

  // Begins to make files of what a server that died was recording; until they are ready, these
  // recordings are finalizing.
  Async<> start();

  // Why nothing is recorded here; nothing if all is well.
  std::optional<std::string> trouble() const;
  // Begins to record what the display shows; null where nothing can be recorded. The display must
  // live until the recorder's stop() has returned. The session's row is there already.
  std::shared_ptr<Recorder> record(TeamId team, SessionId session, Display* display);

  // Waits until all that was recorded can be fetched, but not for long: what is not ready then is
  // made ready when the server starts again.
  Async<> close();
  // Waits for what close() has left, whose programs end with the cage.
  Async<> gone();

 private:
  Async<> supervise(std::shared_ptr<Recorder> recorder, RecordingRow row);
  Async<> recover(RecordingRow row);
  // Makes a file of the part, and notes how that went.
  Async<> make_ready(RecordingRow* row);
  Async<Duration> make_playable(RecordingId id);
  void end(RecordingRow* row, std::uint64_t bytes);
  Async<> store(RecordingRow row);

  Executor executor_;
  Clock& clock_;
  Random& random_;
  Workers& workers_;
  Cage& cage_;
  Recordings& recordings_;
  const RecorderSettings settings_;
  Semaphore finalizing_;
  Event closing_;
  Scope scope_;
};

}  // namespace capstan
