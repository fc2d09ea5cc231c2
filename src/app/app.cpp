#include "app/app.h"

#include <cstdio>

#include "api/not_yet.h"
#include "app/operator_file.h"
#include "base/log.h"
#include "io/race.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

// For answers that are on their way when the server stops.
constexpr auto last_answers = 2s;
constexpr std::size_t operator_token_bytes = 32;

// Making one takes a multiple of its length in memory, and some of the loop's time.
constexpr std::size_t long_answers_at_once = 2;

constexpr std::uint64_t mib = std::uint64_t{1} << 20;
constexpr std::uint64_t gib = std::uint64_t{1} << 30;

// They are checked when they are read.
IsolationLevel isolation_level(const std::string& text) {
  return parse_isolation_level(text).value_or(IsolationLevel::strict);
}

CageLimits browser_cage_limits(const Config& config) {
  CageLimits limits = browser_limits();
  limits.memory_bytes_max = config.sessions.memory_mib_max * mib;
  limits.home_bytes_max = config.sessions.disk_mib_max * mib;
  limits.processes_max = config.sessions.processes_max;
  limits.open_files_max = config.sessions.open_files_max;
  limits.cpu_percent_max = config.sessions.cpu_percent_max;
  return limits;
}

BrowserSettings browser_settings(const Config& config) {
  return {.chromium = config.browser.chromium,
          .headless_shell = config.browser.headless_shell,
          .xvfb = config.browser.xvfb,
          .warm_headful = config.browser.warm_headful,
          .warm_headless = config.browser.warm_headless,
          .limits = browser_cage_limits(config),
          .isolation_min = isolation_level(config.isolation.minimum)};
}

RunnerSettings runner_settings(const Config& config) {
  CageLimits limits;
  limits.memory_bytes_max = config.runs.memory_mib_max * mib;
  limits.home_bytes_max = config.runs.disk_mib_max * mib;
  limits.file_bytes_max = limits.home_bytes_max;
  limits.processes_max = config.runs.processes_max;
  limits.open_files_max = config.runs.open_files_max;
  limits.cpu_percent_max = config.runs.cpu_percent_max;
  return {.warm = config.runs.warm, .limits = limits, .has_exit = config.task.network == "egress"};
}

RecordingSettings recording_settings(const Config& config) {
  return {.kept_max = std::chrono::days(config.recordings.days),
          .bytes_max = config.recordings.gib_max * gib};
}

RecorderSettings recorder_settings(const Config& config) {
  return {.video = {.ffmpeg = config.recordings.ffmpeg},
          .frame_interval = std::chrono::milliseconds(1000) / config.recordings.frames_per_second,
          .bytes_max = config.recordings.mib_max * mib,
          .length_max = std::chrono::minutes(config.recordings.minutes_max),
          .free_bytes_min = config.recordings.free_mib_min * mib};
}

SessionLimits session_limits(const Config& config) {
  return {.sessions_max = config.sessions.max,
          .sessions_per_team_max = config.sessions.max_per_team,
          .default_kind =
              config.browser.kind == "headless" ? BrowserKind::headless : BrowserKind::headful};
}

RunLimits run_limits(const Config& config) {
  return {
      .running_max = config.runs.max_running,
      .queue = {.queued_max = static_cast<std::int64_t>(config.runs.max_queued),
                .queued_per_team_max = static_cast<std::int64_t>(config.runs.max_queued_per_team)},
      .run_time_max = config.runs.timeout,
      .log_bytes_max = config.runs.log_bytes_max,
      .isolation_min = isolation_level(config.isolation.minimum)};
}

std::string url_host(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

// From this machine: what listens everywhere is called on loopback.
std::string operator_url(const std::string& host, std::uint16_t port) {
  std::string address = host == "localhost" || host == "0.0.0.0" ? "127.0.0.1"
                        : host == "::"                           ? "::1"
                                                                 : host;
  return "http://" + url_host(address) + ":" + std::to_string(port);
}

Async<> no_connections_left(Server* server, Clock* clock) {
  while (server->connection_count() > 0) {
    co_await clock->sleep(20ms);
  }
}

}  // namespace

App::App(Executor executor, Config config)
    : executor_(std::move(executor)),
      config_(std::move(config)),
      operator_token_(random_.hex(operator_token_bytes)),
      data_(config_.data),
      database_(data_.database()),
      sealer_(read_secret_keys(data_.secret_key()), random_),
      work_folder_(config_.server.temporary_folder, workers_),
      cage_(executor_, work_folder_),
      exits_(config_.egress.exits),
      gateways_(executor_, clock_, metrics_, {.allow = config_.egress.allow}),
      teams_(database_, clock_, random_),
      runtime_{.runner_folder = find_runner_folder(config_),
               .compile_cache = data_.compile_cache()},
      browsers_(executor_, clock_, workers_, cage_, metrics_, browser_settings(config_)),
      recordings_(executor_, clock_, database_, workers_, data_.recordings(),
                  recording_settings(config_)),
      recorders_(executor_, clock_, random_, workers_, cage_, recordings_,
                 recorder_settings(config_)),
      sessions_(executor_, clock_, random_, database_, browsers_, gateways_, recorders_, workers_,
                exits_, sealer_, metrics_, session_limits(config_)),
      bundler_(executor_, clock_, cage_, runtime_),
      tasks_(database_, clock_, random_, bundler_,
             TaskLimits{.code_bytes_max = config_.task.code_bytes_max}),
      runners_(executor_, clock_, cage_, runtime_, metrics_, runner_settings(config_)),
      runs_(executor_, clock_, random_, database_, cage_, runners_, sessions_, exits_, metrics_,
            run_limits(config_)),
      gate_(teams_, sessions_, clock_, metrics_, config_.server.hosts, operator_token_),
      server_routes_(cage_, browsers_, runners_, sessions_, runs_, runtime_, metrics_,
                     CAPSTAN_VERSION),
      long_answers_(executor_, long_answers_at_once),
      task_routes_(tasks_, sealer_, long_answers_),
      run_routes_(runs_, clock_, sealer_, long_answers_),
      session_routes_(sessions_, runs_, clock_, sealer_),
      recording_routes_(sessions_, recordings_),
      live_routes_(sessions_),
      devtools_routes_(sessions_, runs_, browsers_),
      operator_routes_(teams_) {
  gate_.add(route_rows({.server = server_routes_,
                        .tasks = task_routes_,
                        .runs = run_routes_,
                        .sessions = session_routes_,
                        .recordings = recording_routes_,
                        .live = live_routes_,
                        .devtools = devtools_routes_,
                        .operators = operator_routes_}));
  gate_.add(not_yet_rows());
}

Async<std::optional<std::string>> App::first_key() {
  std::optional<NewApiKey> made = co_await teams_.create_first_key(
      [this](const std::string& key) { write_private_file(data_.api_key(), key + "\n"); });
  co_return made ? std::optional(made->key) : std::nullopt;
}

// Not cancelled, because what it has begun to start must be closed in order.
Async<> App::start() {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  if (std::string reason = runtime_.trouble(); !reason.empty()) {
    log_error("runner_missing", {{"message", reason}});
  }
  co_await cage_.find_levels(isolation_level(config_.isolation.maximum));
  co_await recordings_.start();
  co_await recorders_.start();
  co_await sessions_.start();
  co_await browsers_.start();
  co_await runners_.start();
  co_await runs_.start([this](Request request, Caller caller) {
    return gate_.answer_at_door(std::move(request), std::move(caller));
  });
}

// A Chromium that hangs would hold up the start, and so the end, for its launch limits.
Async<> App::end_children_at(Event* stop) {
  co_await stop->wait();
  co_await cage_.close();
}

Async<> App::serve(Event* stop) {
  ListenAddress address = listen_address_of(config_);
  Server server(executor_, clock_, random_, ServerLimits{},
                listen_on(executor_, address.host, address.port),
                [this](Request request) { return gate_.answer(std::move(request)); });
  auto served = co_await outcome_of(serve_until(stop, &server, address.host));
  log_info("server_stopping");
  server_routes_.start_draining();
  co_await shut_down(&server);
  log_info("server_stopped");
  std::move(served).take();
}

Async<> App::serve_until(Event* stop, Server* server, std::string host) {
  std::optional<std::string> key = co_await first_key();
  std::vector<Async<>> either;
  either.push_back(start());
  either.push_back(end_children_at(stop));
  co_await first_of(std::move(either));
  if (stop->is_set()) {
    co_return;
  }
  OperatorFile operator_file(data_.operator_file(),
                             {operator_url(host, server->port()), operator_token_});
  server->start();
  std::printf("Capstan is ready at http://%s:%d\n", url_host(host).c_str(),
              static_cast<int>(server->port()));
  if (key) {
    std::printf("The first API key, shown this once and kept in %s: %s\n", data_.api_key().c_str(),
                key->c_str());
  }
  std::fflush(stdout);
  log_info("server_ready", {{"port", server->port()}, {"version", CAPSTAN_VERSION}});
  co_await stop->wait();
}

Async<> App::shut_down(Server* server) {
  // Questions are answered meanwhile, so that those who wait for runs see them end.
  co_await runs_.close(config_.runs.shutdown_grace);
  co_await sessions_.close();
  server->stop_accepting();
  auto answered = co_await outcome_of(
      within(clock_, last_answers, no_connections_left(server, &clock_), "connections are left"));
  co_await server->close();
  co_await recorders_.close();
  co_await recordings_.close();
  co_await runners_.close();
  co_await browsers_.close();
  co_await cage_.close();
  co_await recorders_.gone();
}

}  // namespace capstan
