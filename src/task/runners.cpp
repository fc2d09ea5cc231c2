#include "task/runners.h"

#include <prometheus/histogram.h>

#include "io/stream_pair.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

// Loading Playwright takes about 0.3 s of a processor, several times that on a busy machine.
constexpr auto start_limit = 30s;

}  // namespace

Runners::Runners(Executor executor, Clock& clock, Cage& cage, WorkFolder& work_folder,
                 const NodeRuntime& runtime, Metrics& metrics, std::size_t warm)
    : executor_(std::move(executor)),
      clock_(clock),
      cage_(cage),
      work_folder_(work_folder),
      runtime_(runtime),
      start_seconds_(metrics.seconds("capstan_runner_start_seconds",
                                     "Time from starting a runner until it has loaded all.")),
      pool_(executor_, clock, "runners", warm, [this] { return launch(); }) {}

Async<std::unique_ptr<Runner>> Runners::launch() {
  SteadyTime begin = clock_.now();
  auto runner = co_await outcome_of(start_ready());
  if (!runner.ok()) {
    failures_.add(runner.error().message());
    throw Error(ErrorCode::unavailable, "no runner could be started: " + runner.error().message());
  }
  failures_.end();
  std::chrono::duration<double> took = clock_.now() - begin;
  start_seconds_.Observe(took.count());
  co_return std::move(runner).take();
}

Async<std::unique_ptr<Runner>> Runners::start_ready() {
  StreamPair control = make_socket_pair();
  StreamPair out = make_output_pipe();
  StreamPair err = make_output_pipe();
  std::filesystem::path folder = work_folder_.make("r-");
  // The small young generation saves 10 MiB and cost nothing in a test that allocates much.
  ChildOrder order =
      runtime_.order("worker", {"--max-semi-space-size=2", "--max-old-space-size=512"}, folder);
  order.with_door = true;
  order.descriptors.push_back({1, std::move(out.theirs)});
  order.descriptors.push_back({2, std::move(err.theirs)});
  order.descriptors.push_back({3, std::move(control.theirs)});
  auto child = co_await outcome_of(cage_.start(std::move(order)));
  if (!child.ok()) {
    co_await work_folder_.remove(folder);
    throw Error(child.error());
  }
  auto runner = std::make_unique<Runner>(
      executor_, clock_, work_folder_, std::move(folder), std::move(child).take(),
      RunnerStreams{std::move(control.ours), std::move(out.ours), std::move(err.ours)});
  auto ready = co_await outcome_of(
      within(clock_, start_limit, runner->become_ready(), "a runner did not start in time"));
  if (!ready.ok()) {
    co_await runner->close();
    throw Error(ready.error());
  }
  co_return runner;
}

}  // namespace capstan
