#include "session/recorder.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "io/race.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

// Of frames that wait for the encoder: a second of 1440x988.
constexpr std::size_t pending_bytes_max = std::size_t{20} << 20;
// An encoder that lives takes a frame within 10 ms, a niced one on a busy machine within seconds.
constexpr auto frame_patience = 30s;
constexpr auto finish_patience = 30s;
// Copying, twice, at the speed of a slow disk.
constexpr auto fast_start_patience = 10min;
constexpr std::size_t finalizing_at_once = 2;
// The head of a file without pictures has 800 bytes.
constexpr std::uint64_t empty_film_bytes_max = 1024;
constexpr auto store_retry_interval = 2s;
constexpr auto room_check_interval = 1s;
// What a server that dies loses of it.
constexpr auto timeline_interval = 2s;
// How long a server that stops waits for its recordings.
constexpr auto closing_patience = 15s;

std::uint64_t size_of(const Fd& file) {
  struct stat status{};
  return ::fstat(file.get(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

std::uint64_t free_bytes_beside(const Fd& file) {
  struct statvfs status{};
  return ::fstatvfs(file.get(), &status) == 0
             ? static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize
             : 0;
}

// Puts the file where it is fetched from, on the disk when this returns, and returns its size.
std::uint64_t settle(const RecordingFolder& folder, const RecordingId& id, bool is_made) {
  const std::filesystem::path from = is_made ? folder.video(id) : folder.part(id);
  Fd file(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  std::error_code failure;
  if (!file || ::fsync(file.get()) != 0) {
    throw Error(ErrorCode::unavailable, "can't keep the recording", std::strerror(errno));
  }
  if (is_made) {
    std::filesystem::remove(folder.part(id), failure);
  } else {
    std::filesystem::rename(from, folder.video(id), failure);
  }
  if (failure) {
    throw Error(ErrorCode::unavailable, "can't keep the recording", failure.message());
  }
  return size_of(file);
}

std::chrono::milliseconds to_ms(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
}

// What somebody who asks for the recording is told.
std::string note_of(const Error& error) {
  std::string_view cause = trim(error.cause());
  return cause.empty() ? error.message() : error.message() + ": " + std::string(cause);
}

}  // namespace

Recorder::Recorder(Executor executor, Clock& clock, Workers& workers, Cage& cage,
                   Recordings& recordings, const RecorderSettings& settings, RecordingRow row,
                   Display& display)
    : clock_(clock),
      workers_(workers),
      cage_(cage),
      recordings_(recordings),
      settings_(settings),
      row_(std::move(row)),
      display_(&display),
      executor_(executor),
      pending_(executor, pending_bytes_max),
      begun_at_(clock.now()),
      last_frame_at_(begun_at_),
      room_checked_at_(begun_at_),
      timeline_kept_at_(begun_at_),
      wanted_(executor),
      released_(executor),
      scope_(executor, "recorder") {}

void Recorder::pause() {
  if (!paused_since_) {
    paused_since_ = clock_.now();
    wanted_.set();
  }
}

void Recorder::resume() {
  if (paused_since_) {
    paused_ += clock_.now() - *paused_since_;
    paused_since_.reset();
    wanted_.set();
  }
}

Async<> Recorder::stop() {
  stopping_ = true;
  wanted_.set();
  co_await released_.wait();
}

Duration Recorder::film_time(SteadyTime now) const {
  return paused_since_.value_or(now) - begun_at_ - paused_;
}

void Recorder::mark(std::string_view type, json::object what) {
  if (!is_paused()) {
    timeline_.add(film_time(clock_.now()), type, std::move(what));
  }
}

// A film is worth something without it.
Async<> Recorder::keep_timeline() {
  timeline_kept_at_ = clock_.now();
  auto kept = co_await outcome_of(
      workers_.run([folder = recordings_.folder(), id = row_.id, text = timeline_.to_text()] {
        folder.write_timeline(id, text);
      }));
  if (!kept.ok()) {
    log_warning("timeline_not_kept", {{"recording", row_.id.text()},
                                      {"message", kept.error().message()},
                                      {"cause", kept.error().cause()}});
  }
}

Async<RecordingProgress> Recorder::live() {
  auto filmed = co_await outcome_of(film());
  display_ = nullptr;
  released_.set();
  pending_.close();
  co_await scope_.drain();
  if (!timeline_.is_empty()) {
    co_await keep_timeline();
  }
  RecordingProgress progress{.state = RecordingState::finalizing,
                             .note = filmed.ok() ? "" : note_of(filmed.error())};
  if (!encoded_.ok()) {
    progress.note = note_of(encoded_.error());
  }
  if (encoder_) {
    auto finished = co_await outcome_of(
        within(clock_, finish_patience, encoder_->finish(), "the video encoder did not finish"));
    if (!finished.ok()) {
      progress.note = note_of(finished.error());  // tells more than that it took no more frames
    }
    encoder_.reset();
  }
  progress.duration = to_ms(last_frame_time_);
  progress.bytes = size_of(file_);
  co_return progress;
}

Async<> Recorder::film() {
  co_await recordings_.table().insert(row_);
  file_ = Fd(::open(recordings_.folder().part(row_.id).c_str(),
                    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  Fd encoders_own(file_ ? ::fcntl(file_.get(), F_DUPFD_CLOEXEC, 3) : -1);
  if (!encoders_own) {
    throw Error(ErrorCode::unavailable, "can't make a file for the recording",
                std::strerror(errno));
  }
  const PictureSize size = display_->picture().size();
  frame_ = std::make_shared<I420Frame>(size);
  encoder_ = co_await VideoEncoder::start(executor_, &cage_, settings_.video,
                                          std::move(encoders_own), size);
  scope_.spawn(encode());
  Display::Look look(*display_, settings_.frame_interval, settings_.small_change_interval);
  co_await film_until_stopped(&look);
}

Async<> Recorder::encode() {
  std::vector<Async<>> either;
  either.push_back(encode_frames());
  either.push_back(note_encoders_end());
  auto ended = co_await outcome_of(first_of(std::move(either)));
  if (!ended.ok()) {
    encoded_ = Outcome<void>(ended.error());
  }
  pending_.close();
  wanted_.set();
}

Async<> Recorder::note_encoders_end() {
  co_await encoder_->gone();
  throw Error(ErrorCode::unavailable, "the video encoder has ended");
}

Async<> Recorder::encode_frames() {
  while (auto next = co_await pending_.pop()) {
    co_await within(clock_, frame_patience, encoder_->write(next->frame.get(), next->time),
                    "the video encoder does not take frames");
  }
}

Async<> Recorder::film_until_stopped(Display::Look* look) {
  while (can_film()) {
    if (is_paused()) {
      wanted_.clear();
      co_await wanted_.wait();
      continue;
    }
    co_await wait_for_frame(look);
    if (is_paused()) {
      continue;
    }
    co_await take_frame(look);
    check_room();
    if (timeline_.has_news() && clock_.now() - timeline_kept_at_ >= timeline_interval) {
      co_await keep_timeline();
    }
  }
  if (!encoded_.ok()) {
    throw Error(encoded_.error());
  }
  if (!stopping_) {
    // The session ends with its browser; but not every end of a display is one of a browser.
    auto ended =
        co_await outcome_of(within(clock_, display_end_patience, stopped(), "the session goes on"));
  }
  if (!is_paused()) {
    co_await take_frame(look);  // holds the last picture until the true end
  }
  if (!stopping_) {
    throw Error(ErrorCode::unavailable, "the display has gone");
  }
}

bool Recorder::can_film() const { return !stopping_ && !display_->has_ended() && encoded_.ok(); }

Async<> Recorder::stopped() {
  while (!stopping_) {
    wanted_.clear();
    co_await wanted_.wait();
  }
}

// Until there is something to film, which may be that nothing has happened for a while.
Async<> Recorder::wait_for_frame(Display::Look* look) {
  while (can_film() && !is_paused()) {
    SteadyTime now = clock_.now();
    const bool has_change = display_->has_shown() && look->change().pixels > 0;
    Duration interval = !has_change    ? settings_.heartbeat
                        : frames_ == 0 ? Duration(0)
                        : display_->is_small(look->change().pixels)
                            ? settings_.small_change_interval
                            : settings_.frame_interval;
    SteadyTime due = last_frame_at_ + interval;
    if (now >= due) {
      co_return;
    }
    wanted_.clear();
    std::vector<Async<>> either;
    either.push_back(wanted_.wait());
    if (has_change) {
      // A large change may follow the small one.
      either.push_back(clock_.sleep_until(std::min(due, now + settings_.frame_interval)));
    } else {
      either.push_back(clock_.sleep_until(due));
      either.push_back(look->changed());
    }
    co_await first_of(std::move(either));
  }
}

Async<> Recorder::take_frame(Display::Look* look) {
  {
    Semaphore::Permit still = co_await display_->hold();
    if (is_paused()) {
      co_return;  // what has changed stays noted
    }
    last_frame_at_ = clock_.now();
    const Area area = look->take_change().area;
    if (!area.is_empty()) {
      const bool is_pending = frame_.use_count() > 1;  // the encoder has not come to it yet
      frame_ =
          co_await workers_.run([last = frame_, is_pending, picture = &display_->picture(), area] {
            auto frame = is_pending ? std::make_shared<I420Frame>(*last) : last;
            frame->update(*picture, area);
            return frame;
          });
    }
  }
  // The first one stands for the time that the encoder took to start.
  Duration time = frames_ == 0
                      ? Duration(0)
                      : std::max(film_time(last_frame_at_), last_frame_time_ + Duration(1ms));
  last_frame_time_ = time;
  if (!co_await pending_.push({.frame = frame_, .time = time}, frame_->bytes().size())) {
    throw Error(encoded_.error());
  }
  ++frames_;
}

void Recorder::check_room() {
  if (last_frame_time_ >= settings_.length_max) {
    throw Error(ErrorCode::resource_exhausted, "the recording has reached its longest length");
  }
  if (size_of(file_) >= settings_.bytes_max) {
    throw Error(ErrorCode::resource_exhausted, "the recording has reached its largest size");
  }
  SteadyTime now = clock_.now();
  if (now - room_checked_at_ >= room_check_interval) {
    room_checked_at_ = now;
    if (free_bytes_beside(file_) < settings_.free_bytes_min) {
      throw Error(ErrorCode::resource_exhausted,
                  "the disk has less room than recordings.free_mib_min");
    }
  }
}

Recorders::Recorders(Executor executor, Clock& clock, Random& random, Workers& workers, Cage& cage,
                     Recordings& recordings, RecorderSettings settings)
    : executor_(executor),
      clock_(clock),
      random_(random),
      workers_(workers),
      cage_(cage),
      recordings_(recordings),
      settings_(std::move(settings)),
      finalizing_(executor, finalizing_at_once),
      closing_(executor),
      scope_(executor, "recorders") {}

std::optional<std::string> Recorders::trouble() const {
  if (::access(settings_.video.ffmpeg.c_str(), X_OK) != 0) {
    return "there is no " + settings_.video.ffmpeg.string();
  }
  return std::nullopt;
}

std::shared_ptr<Recorder> Recorders::record(TeamId team, SessionId session, Display* display) {
  if (trouble() || closing_.is_set()) {
    return nullptr;
  }
  const WallTime now = clock_.wall_now();
  const PictureSize size = display->picture().size();
  RecordingRow row{.id = RecordingId::make(now, random_),
                   .session = std::move(session),
                   .team = std::move(team),
                   .is_primary = true,
                   .created_at = now,
                   .width = size.width,
                   .height = size.height};
  auto recorder = std::make_shared<Recorder>(executor_, clock_, workers_, cage_, recordings_,
                                             settings_, row, *display);
  scope_.spawn(supervise(recorder, std::move(row)));
  return recorder;
}

Async<> Recorders::supervise(std::shared_ptr<Recorder> recorder, RecordingRow row) {
  row.progress = co_await recorder->live();
  recorder.reset();
  co_await store(row);
  co_await make_ready(&row);
  co_await store(row);
}

Async<> Recorders::make_ready(RecordingRow* row) {
  Semaphore::Permit turn = co_await finalizing_.acquire();
  RecordingProgress& progress = row->progress;
  if (progress.bytes <= empty_film_bytes_max) {
    progress.note = progress.note.empty() ? "it has no pictures" : progress.note;
    co_await workers_.run([folder = recordings_.folder(), id = row->id] { folder.remove(id); });
    end(row, 0);
    co_return;
  }
  auto made = co_await outcome_of(make_playable(row->id));
  if (!made.ok() && closing_.is_set()) {
    co_return;  // its program was ended; the next start tries again
  }
  if (made.ok()) {
    progress.duration = to_ms(made.value());
  } else if (progress.note.empty()) {
    progress.note = note_of(made.error());
  }
  // A file of fragments can be played, too.
  auto kept =
      co_await outcome_of(workers_.run([is_made = made.ok(), folder = recordings_.folder(),
                                        id = row->id] { return settle(folder, id, is_made); }));
  if (!kept.ok()) {
    progress.note = note_of(kept.error());
  }
  end(row, kept.ok() ? kept.value() : 0);
}

// Returns how long it plays.
Async<Duration> Recorders::make_playable(RecordingId id) {
  const RecordingFolder& folder = recordings_.folder();
  const std::uint64_t copy_bytes = folder.sizes(id).part;
  if (folder.free_bytes() < copy_bytes + settings_.free_bytes_min) {
    throw Error(ErrorCode::resource_exhausted, "the disk had no room to give it an index");
  }
  co_return co_await within(
      clock_, fast_start_patience,
      make_fast_start(executor_, &cage_, settings_.video, folder.part(id), folder.video(id)),
      "the recording could not be copied in time");
}

void Recorders::end(RecordingRow* row, std::uint64_t bytes) {
  RecordingProgress& progress = row->progress;
  progress.bytes = bytes;
  progress.state = bytes == 0              ? RecordingState::failed
                   : progress.note.empty() ? RecordingState::ready
                                           : RecordingState::partial;
  progress.ended_at = clock_.wall_now();
  log_info("recording_ended", {{"recording", row->id.text()},
                               {"session", row->session.text()},
                               {"state", to_text(progress.state)},
                               {"duration_ms", progress.duration.count()},
                               {"bytes", progress.bytes},
                               {"note", progress.note}});
}

Async<> Recorders::store(RecordingRow row) {
  while (true) {
    auto stored = co_await outcome_of(recordings_.table().update(row.id, row.progress));
    if (stored.ok() || closing_.is_set()) {
      co_return;
    }
    co_await sleep_or_until(&clock_, store_retry_interval, &closing_);
  }
}

Async<> Recorders::start() {
  for (RecordingRow& row : co_await recordings_.table().left_over()) {
    scope_.spawn(recover(std::move(row)));
  }
}

Async<> Recorders::recover(RecordingRow row) {
  RecordingProgress& progress = row.progress;
  auto sizes = co_await workers_.run(
      [folder = recordings_.folder(), id = row.id] { return folder.sizes(id); });
  if (sizes.part == 0 && sizes.video > 0) {
    end(&row, sizes.video);  // the server died between this file and its row
    co_await store(std::move(row));
    co_return;
  }
  progress.bytes = sizes.part;
  if (sizes.part == 0) {
    progress.note = "the server died before there was anything to play";
  } else if (progress.state == RecordingState::recording) {
    progress.note = "the server died while this was recorded";
  }
  progress.state = RecordingState::finalizing;
  co_await store(row);
  co_await make_ready(&row);
  co_await store(std::move(row));
}

Async<> Recorders::close() {
  auto drained = co_await outcome_of(
      within(clock_, closing_patience, scope_.drain(), "recordings are not ready in time"));
  closing_.set();
  if (!drained.ok()) {
    log_warning("recordings_left", {{"message", drained.error().message()}});
  }
}

Async<> Recorders::gone() { return scope_.drain(); }

}  // namespace capstan
