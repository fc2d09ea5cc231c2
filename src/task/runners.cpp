#include "task/runners.h"

#include <prometheus/histogram.h>

#include "base/log.h"
#include "io/stream_pair.h"
#include "task/limit_notes.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

// Node 24 reserves so much for V8's code that it does not start with 640 MiB of address space, of
// which it uses 110.
constexpr std::uint64_t reserved_bytes = std::uint64_t{512} << 20;

// Loading Playwright takes about 0.3 s of a processor, several times that on a busy machine.
constexpr auto start_limit = 30s;

// Runners have other user ids than we have, and each its own, so all may or none.
void let_write(const std::filesystem::path& compile_cache, bool may) {
  namespace fs = std::filesystem;
  const auto folder_access = static_cast<fs::perms>(may ? 0777 : 0555);
  const auto file_access = static_cast<fs::perms>(may ? 0666 : 0444);
  for (const auto& entry : fs::recursive_directory_iterator(compile_cache)) {
    if (!entry.is_symlink()) {
      fs::permissions(entry.path(), entry.is_directory() ? folder_access : file_access);
    }
  }
  fs::permissions(compile_cache, folder_access);
}

// Of an http:// address without a path.
std::string authority_of(const std::string& url) {
  return url.substr(std::string_view("http://").size());
}

}  // namespace

Runners::Runners(Executor executor, Clock& clock, Cage& cage, const NodeRuntime& runtime,
                 Metrics& metrics, RunnerSettings settings)
    : executor_(std::move(executor)),
      clock_(clock),
      cage_(cage),
      runtime_(runtime),
      settings_(settings),
      start_seconds_(metrics.seconds("capstan_runner_start_seconds",
                                     "Time from starting a runner until it has loaded all.")),
      pool_(executor_, clock, "runners", settings.warm, [this] { return launch(); }) {}

Async<> Runners::start() {
  if (!runtime_.compile_cache.empty()) {
    auto filled = co_await outcome_of(fill_compile_cache());
    if (!filled.ok()) {
      log_warning("compile_cache_not_filled", {{"message", filled.error().message()}});
    }
  }
  pool_.start_refill();
}

// By a runner that is given no task: whoever runs one can only read the cache.
Async<> Runners::fill_compile_cache() {
  // The folder that it lies in lets nobody else pass, so what is open is so to our runners alone.
  std::filesystem::create_directories(runtime_.compile_cache);
  let_write(runtime_.compile_cache, true);
  ChildOrder order = this->order();
  std::erase(order.readable, runtime_.compile_cache);
  order.writable.push_back(runtime_.compile_cache);
  std::unique_ptr<Runner> runner = co_await start_ready(std::move(order));
  co_await runner->close();
  let_write(runtime_.compile_cache, false);
}

Async<std::unique_ptr<Runner>> Runners::launch() {
  SteadyTime begin = clock_.now();
  auto runner = co_await outcome_of(start_ready(order()));
  if (!runner.ok()) {
    failures_.add(runner.error().message());
    log_warning("runner_start_failed",
                {{"message", runner.error().message()}, {"cause", runner.error().cause()}});
    throw Error(ErrorCode::unavailable, "no runner could be started: " + runner.error().message());
  }
  failures_.end();
  std::chrono::duration<double> took = clock_.now() - begin;
  start_seconds_.Observe(took.count());
  co_return std::move(runner).take();
}

ChildOrder Runners::order() const {
  // The small young generation saves 10 MiB and cost nothing in a test that allocates much.
  ChildOrder order = runtime_.order(
      "worker", {"--max-semi-space-size=2",
                 "--max-old-space-size=" + std::to_string(heap_mib(settings_.limits))});
  order.limits = settings_.limits;
  order.limits.reserved_bytes = reserved_bytes;
  order.door_count = settings_.has_exit ? 2 : 1;
  if (settings_.has_exit) {
    order.command = [inner = std::move(order.command)](const Interior& interior) {
      Command command = inner(interior);
      for (const char* name : {"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"}) {
        command.environment.emplace_back(name, interior.doors[1]);
      }
      // Anything else on 127.0.0.1 is the machine's, and the gateway decides on that.
      std::string doors = authority_of(interior.doors[0]) + "," + authority_of(interior.doors[1]);
      for (const char* name : {"NO_PROXY", "no_proxy"}) {
        command.environment.emplace_back(name, doors);
      }
      command.environment.emplace_back("NODE_USE_ENV_PROXY", "1");
      return command;
    };
  }
  return order;
}

Async<std::unique_ptr<Runner>> Runners::start_ready(ChildOrder order) {
  StreamPair control = make_socket_pair();
  StreamPair out = make_output_pipe();
  StreamPair err = make_output_pipe();
  order.descriptors.push_back({1, std::move(out.theirs)});
  order.descriptors.push_back({2, std::move(err.theirs)});
  order.descriptors.push_back({3, std::move(control.theirs)});
  auto runner = std::make_unique<Runner>(
      executor_, clock_, co_await cage_.start(std::move(order)),
      Runner::Bounds{.limits = settings_.limits, .has_network = settings_.has_exit},
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
