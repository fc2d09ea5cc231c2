#include "display/video_encoder.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>

#include "display/matroska.h"
#include "io/outcome.h"
#include "io/stream_pair.h"

namespace capstan {
namespace {

constexpr std::uint64_t mib = std::uint64_t{1} << 20;
// Reads of half a frame instead of 64 KiB save wake-ups on both sides. The system's bound for
// ordinary users; where it is lower, the pipe stays as it is.
constexpr int pipe_bytes = 1 << 20;
constexpr std::size_t last_words_bytes_max = 4096;
constexpr int output_number = 6;

// A frame of 1440x988 takes 90 MiB, one of 7680x4320 about 1 GiB.
CageLimits encoder_limits() {
  return {.memory_bytes_max = 2048 * mib,
          .processes_max = 32,
          .niceness = 10,
          .home_bytes_max = mib,
          .file_bytes_max = std::uint64_t{1} << 40};  // who writes the file watches its size
}

ChildOrder encoder_order(const VideoSettings& settings, std::vector<std::string> arguments) {
  ChildOrder order{.kind = CageKind::task, .limits = encoder_limits()};
  order.command = [settings, arguments = std::move(arguments)](const Interior& interior) {
    Command command{.program = settings.ffmpeg,
                    .arguments = {"-hide_banner", "-nostdin", "-loglevel", "error"},
                    .environment = {{"HOME", interior.home.string()}, {"PATH", "/usr/bin:/bin"}}};
    command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
    return command;
  };
  return order;
}

// x264's faster settings make the files twice as large, its slower ones take half as much time
// again (measured on frames that hardly change, docs/performance.md). Colours are said to be what
// I420Frame makes them, since players guess by the size. A key frame each 4 s is where a player can
// begin.
std::vector<std::string> encoding_arguments() {
  return {"-f",
          "matroska",
          "-probesize",
          "32",
          "-analyzeduration",
          "0",
          "-i",
          "pipe:0",
          "-an",
          "-c:v",
          "libx264",
          "-threads",
          "1",
          "-preset",
          "superfast",
          "-tune",
          "zerolatency",
          "-crf",
          "26",
          "-pix_fmt",
          "yuv420p",
          "-colorspace",
          "smpte170m",
          "-color_primaries",
          "smpte170m",
          "-color_trc",
          "smpte170m",
          "-color_range",
          "tv",
          "-force_key_frames",
          "expr:gte(t,n_forced*4)",
          "-fps_mode",
          "passthrough",
          "-enc_time_base",
          "1:1000",
          "-video_track_timescale",
          "1000",
          "-movflags",
          "+frag_every_frame+empty_moov+default_base_moof",
          "-flush_packets",
          "1",
          "-f",
          "mp4",
          "pipe:1"};
}

// Waits until the program has ended, and returns the last that it had to say.
Async<std::string> end_well(Child* child, Stream* said) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (std::size_t count = co_await said->read_some(buffer)) {
    text.append(buffer.data(), count);
    text.erase(0, text.size() - std::min(text.size(), last_words_bytes_max));
  }
  ExitStatus status = co_await child->wait();
  if (status.code != 0 || status.signal != 0) {
    throw Error(ErrorCode::unavailable, "the video encoder failed",
                text.empty() ? status.text() : status.text() + ": " + text);
  }
  co_return text;
}

// An encoder that complains without end, while nobody listens, shall not stop for that.
StreamPair make_complaints_pipe() {
  StreamPair pipe = make_output_pipe();
  ::fcntl(pipe.theirs.get(), F_SETFL, ::fcntl(pipe.theirs.get(), F_GETFL) | O_NONBLOCK);
  return pipe;
}

// Of the report's last lines, out_time_us=12345678; nothing if there is none.
std::optional<Duration> told_length(std::string_view report) {
  constexpr std::string_view name = "out_time_us=";
  std::size_t begin = report.rfind(name);
  std::int64_t microseconds = 0;
  if (begin == std::string_view::npos) {
    return std::nullopt;
  }
  report.remove_prefix(begin + name.size());
  auto read = std::from_chars(report.data(), report.data() + report.size(), microseconds);
  return read.ec == std::errc() ? std::optional<Duration>(std::chrono::microseconds(microseconds))
                                : std::nullopt;
}

}  // namespace

VideoEncoder::VideoEncoder(std::unique_ptr<Child> child, Stream input, Stream complaints)
    : child_(std::move(child)), input_(std::move(input)), complaints_(std::move(complaints)) {}

Async<std::unique_ptr<VideoEncoder>> VideoEncoder::start(Executor executor, Cage* cage,
                                                         VideoSettings settings, Fd file,
                                                         PictureSize size) {
  StreamPair input = make_input_pipe();
  StreamPair complaints = make_complaints_pipe();
  ::fcntl(input.ours.get(), F_SETPIPE_SZ, pipe_bytes);
  ChildOrder order = encoder_order(settings, encoding_arguments());
  order.descriptors.push_back({0, std::move(input.theirs)});
  order.descriptors.push_back({1, std::move(file)});
  order.descriptors.push_back({2, std::move(complaints.theirs)});
  std::unique_ptr<Child> child = co_await cage->start(std::move(order));
  auto encoder =
      std::make_unique<VideoEncoder>(std::move(child), Stream(executor, std::move(input.ours)),
                                     Stream(executor, std::move(complaints.ours)));
  std::string head = matroska::head(size);
  co_await encoder->input_.write(head);
  co_return encoder;
}

Async<> VideoEncoder::write(const I420Frame* frame, Duration time) {
  auto time_ms = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
  std::string head =
      matroska::frame_head(static_cast<std::uint64_t>(time_ms), frame->bytes().size());
  co_await input_.write(head);
  co_await input_.write(frame->bytes());
}

Async<> VideoEncoder::gone() { co_await child_->wait(); }

Async<> VideoEncoder::finish() {
  input_.close();
  co_await end_well(child_.get(), &complaints_);
}

Async<Duration> make_fast_start(Executor executor, Cage* cage, VideoSettings settings,
                                std::filesystem::path from, std::filesystem::path to) {
  Fd input(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  // The encoder's user is not ours, and it opens the file anew: nobody else can reach the folder.
  Fd output(input ? ::open(to.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1);
  if (!output || ::fchmod(output.get(), 0666) != 0) {
    throw Error(ErrorCode::unavailable, "can't open the files of a recording",
                std::strerror(errno));
  }
  StreamPair report = make_output_pipe();  // with the complaints
  Fd complaints(::fcntl(report.theirs.get(), F_DUPFD_CLOEXEC, 3));
  std::string place = "/proc/self/fd/" + std::to_string(output_number);
  ChildOrder order = encoder_order(settings, {"-f",
                                              "mp4",
                                              "-i",
                                              "pipe:0",
                                              "-c",
                                              "copy",
                                              "-bsf:v",
                                              "setts=duration=1",
                                              "-video_track_timescale",
                                              "1000",
                                              "-movflags",
                                              "+faststart",
                                              "-progress",
                                              "pipe:1",
                                              "-stats_period",
                                              "1000",
                                              "-y",
                                              "-f",
                                              "mp4",
                                              place});
  order.writable.push_back(to);
  order.descriptors.push_back({0, std::move(input)});
  order.descriptors.push_back({1, std::move(report.theirs)});
  order.descriptors.push_back({2, std::move(complaints)});
  order.descriptors.push_back({output_number, std::move(output)});
  std::unique_ptr<Child> child = co_await cage->start(std::move(order));
  Stream told(executor, std::move(report.ours));
  std::optional<Duration> length = told_length(co_await end_well(child.get(), &told));
  ::chmod(to.c_str(), 0600);
  if (!length) {
    throw Error(ErrorCode::unavailable, "the video has no pictures");
  }
  co_return *length;
}

}  // namespace capstan
