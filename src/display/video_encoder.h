#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "cage/cage.h"
#include "display/i420_frame.h"
#include "io/clock.h"
#include "io/stream.h"

namespace capstan {

struct VideoSettings {
  // Debian's, which encodes H.264 with x264. It is run and not linked, so that what goes wrong in
  // it ends one recording, and because x264's licence would become ours.
  std::filesystem::path ffmpeg = "/usr/bin/ffmpeg";
};

// Makes an MP4 of pictures while they come. Each stands in a fragment of its own, so that the file
// plays up to the last one but one, whatever dies when. The program runs in a cage and has nothing
// but the open file.
//
// Its owner ends it by awaiting finish(), or by destruction, which leaves the file as it is.
class VideoEncoder {
 public:
  VideoEncoder(std::unique_ptr<Child> child, Stream input, Stream complaints);
  // `file` is open for writing, and empty. Throws unavailable when the program can't be started.
  static Async<std::unique_ptr<VideoEncoder>> start(Executor executor, Cage* cage,
                                                    VideoSettings settings, Fd file,
                                                    PictureSize size);

  // Shows the frame from `time` after the beginning on, until the next one. Times grow by a
  // millisecond at least. Returns when the encoder has taken it, which holds back who is too fast.
  // Throws unavailable once it has ended. The frame must stay as it is until then.
  Async<> write(const I420Frame* frame, Duration time);
  // Waits until the program has ended, by itself or by somebody else's doing.
  Async<> gone();
  // Waits until all that was written is in the file. Throws unavailable with what the encoder had
  // to say if it failed.
  Async<> finish();

 private:
  std::unique_ptr<Child> child_;
  Stream input_;
  Stream complaints_;
};

// Rewrites a file of fragments as one that can be played and searched from anywhere at once, its
// index in front, and returns how long it plays. `to` is created or replaced. Throws unavailable
// when that can't be done.
Async<Duration> make_fast_start(Executor executor, Cage* cage, VideoSettings settings,
                                std::filesystem::path from, std::filesystem::path to);

}  // namespace capstan
