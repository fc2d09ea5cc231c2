#include "task/runs.h"

#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include "base/log.h"
#include "io/race.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view interrupted = "interrupted by a server restart";
// How long cancelled code may take to clean up behind itself.
constexpr auto cancel_grace = 2s;
// A signal is a hint, the row is the truth: the queue looks itself this often.
constexpr auto queue_look_interval = 5s;
constexpr auto log_store_interval = 1s;

RunOutcome failed(std::string error) {
  return {.status = RunStatus::failure, .output = std::nullopt, .error = std::move(error)};
}

// Which door a call came through tells who calls, so keys don't matter there; the SDK insists on
// having one.
constexpr std::string_view door_key = "through-the-door";

std::map<std::string, std::string> environment_of(const ClaimedRun& run,
                                                  const std::string& session_id,
                                                  const std::string& door_url) {
  std::map<std::string, std::string> environment{{"ANCHOR_SESSION_ID", session_id},
                                                 {"ANCHOR_API_KEY", std::string(door_key)}};
  for (const auto& [name, value] : run.settings.inputs) {
    environment[name] = value;
  }
  environment["ANCHORBROWSER_API_KEY"] = door_key;
  environment["ANCHORBROWSER_BASE_URL"] = door_url;
  return environment;
}

}  // namespace

Runs::OpenRun::OpenRun(const Executor& executor, Clock& clock, std::size_t log_bytes_max)
    : log(std::make_shared<RunLog>(executor, clock, log_bytes_max)),
      ended(executor),
      stop_wanted(executor) {}

Runs::Runs(Executor executor, Clock& clock, Random& random, Database& database, Cage& cage,
           Runners& runners, Sessions& sessions, Metrics& metrics, RunLimits limits)
    : executor_(std::move(executor)),
      clock_(clock),
      random_(random),
      cage_(cage),
      runners_(runners),
      sessions_(sessions),
      table_(database, clock, random, limits.queue),
      limits_(limits),
      running_gauge_(metrics.gauge("capstan_runs_running", "Runs that are being executed.")),
      run_seconds_(metrics.seconds("capstan_run_seconds", "Time that runs took, once begun.")),
      slot_or_work_(executor_),
      scope_(executor_, "runs") {}

Async<> Runs::start(DoorHandler door_handler) {
  door_handler_ = std::move(door_handler);
  std::int64_t failed_count = co_await table_.fail_interrupted(std::string(interrupted));
  if (failed_count > 0) {
    log_warning("runs_interrupted", {{"count", failed_count}});
  }
  slot_or_work_.set();
  scope_.spawn(work_off_queue());
}

std::optional<std::string> Runs::trouble() const {
  if (cage_.isolation().level < limits_.isolation_min) {
    std::string reasons;
    for (const std::string& reason : cage_.isolation().reasons) {
      reasons += (reasons.empty() ? "" : ", ") + reason;
    }
    return "isolation is " + std::string(to_text(cage_.isolation().level)) +
           ", below the minimum " + std::string(to_text(limits_.isolation_min)) +
           " of the configuration: " + reasons;
  }
  return std::nullopt;
}

std::shared_ptr<Runs::OpenRun> Runs::open_run(const RunId& id) {
  auto entry = open_.find(id);
  if (entry == open_.end()) {
    auto open = std::make_shared<OpenRun>(executor_, clock_, limits_.log_bytes_max);
    entry = open_.emplace(id, std::move(open)).first;
  }
  return entry->second;
}

Async<Run> Runs::accept(StartRun order) {
  if (auto reason = trouble()) {
    throw Error(ErrorCode::unavailable, "tasks are not run: " + *reason);
  }
  if (closing_) {
    throw Error(ErrorCode::unavailable, "the server is shutting down").retry_after(5s);
  }
  if (order.settings.session) {
    auto running =
        outcome_of_call([&] { return sessions_.running(order.team, *order.settings.session); });
    order.session_is_missing = !running.ok();
  }
  // A slot is taken before the row is written, so that claiming it needs no second write.
  bool claim = running_ < limits_.running_max && !may_be_queued_;
  if (claim) {
    ++running_;
  }
  auto accepted = co_await outcome_of(table_.accept(std::move(order), claim));
  if (claim && (!accepted.ok() || !accepted.value().is_new)) {
    --running_;
    slot_or_work_.set();
  }
  AcceptedRun run = std::move(accepted).take();
  if (run.is_new) {
    open_run(run.run.id);
    if (claim) {
      begin(run.run.id);
    } else {
      may_be_queued_ = true;
      slot_or_work_.set();
    }
  }
  co_return std::move(run.run);
}

void Runs::begin(const RunId& id) {
  running_gauge_.Set(static_cast<double>(running_));
  scope_.spawn(live(id));
}

Async<> Runs::work_off_queue() {
  while (!closing_) {
    slot_or_work_.clear();
    while (!closing_ && running_ < limits_.running_max) {
      ++running_;
      may_be_queued_ = false;  // before looking: what is queued meanwhile raises it again
      std::optional<RunId> id = co_await table_.claim_next();
      if (!id) {
        --running_;
        break;
      }
      may_be_queued_ = true;
      open_run(*id);
      begin(*id);
    }
    std::vector<Async<>> either;
    either.push_back(slot_or_work_.wait());
    either.push_back(clock_.sleep(queue_look_interval));
    co_await first_of(std::move(either));
  }
}

Async<> Runs::live(RunId id) {
  std::shared_ptr<OpenRun> open = open_run(id);
  SteadyTime begin_time = clock_.now();
  auto loaded = co_await outcome_of(table_.load(id));
  std::optional<ClaimedRun> run;
  RunOutcome outcome;
  std::int64_t attempt = 1;
  if (loaded.ok()) {
    run = std::move(loaded).take();
    attempt = run->run.attempt;
    auto executed = co_await outcome_of(execute(*run, open));
    outcome = executed.ok() ? std::move(executed).take() : failed(executed.error().message());
  } else {
    outcome = failed(loaded.error().message());
  }
  outcome.begun_at = open->begun_at;
  open->log->finish();
  std::vector<std::string> pieces;
  if (std::string piece = next_log_piece(*open); !piece.empty()) {
    pieces.push_back(std::move(piece));
  }
  RunStatus status = outcome.status;
  auto stored = co_await outcome_of(
      table_.finish(id, attempt, std::move(outcome),
                    run ? session_ids_of(*run) : std::vector<std::string>(), std::move(pieces)));
  if (!stored.ok()) {
    log_error("run_not_stored", {{"run", id.text()}, {"cause", stored.error().cause()}});
  }
  if (run) {
    end_sessions(*run);  // who is told that the run has ended finds its sessions ended
  }
  open->ended.set();
  open_.erase(id);
  --running_;
  running_gauge_.Set(static_cast<double>(running_));
  slot_or_work_.set();
  std::chrono::duration<double> took = clock_.now() - begin_time;
  run_seconds_.Observe(took.count());
  log_info("run_ended", {{"run", id.text()},
                         {"status", to_text(status)},
                         {"after_ms", static_cast<std::int64_t>(took.count() * 1000)}});
}

std::shared_ptr<Session> Runs::session_for(const ClaimedRun& run) {
  if (run.settings.session) {
    return sessions_.running(run.run.team, *run.settings.session);
  }
  BrowserKind kind = sessions_.kind_for(run.settings.browser_configuration);
  return sessions_.prepare({.team = run.run.team,
                            .config = run.settings.browser_configuration,
                            .kind = kind,
                            .run = run.run.id.text()});
}

std::vector<std::string> Runs::session_ids_of(const ClaimedRun& run) const {
  std::vector<std::string> ids;
  if (run.settings.session) {
    ids.push_back(run.settings.session->text());
  }
  for (const SessionId& id : sessions_.opened_by_run(run.run.id.text())) {
    ids.push_back(id.text());
  }
  return ids;
}

void Runs::end_sessions(const ClaimedRun& run) {
  if (run.settings.end_opened_sessions) {
    sessions_.end_all_of_run(run.run.id.text());
  } else {
    sessions_.end_unopened_of_run(run.run.id.text());
  }
  if (run.settings.session && run.settings.end_given_session) {
    auto given =
        outcome_of_call([&] { return sessions_.running(run.run.team, *run.settings.session); });
    if (given.ok()) {
      std::move(given).take()->stop(SessionStatus::completed);
    }
  }
}

Async<RunOutcome> Runs::execute(ClaimedRun run, std::shared_ptr<OpenRun> open) {
  open->configuration = run.settings.browser_configuration;
  std::unique_ptr<Runner> runner = co_await runners_.take();
  Runner* borrowed = runner.get();
  auto outcome = co_await outcome_of(run_in(borrowed, std::move(run), open));
  scope_.spawn(close_runner(std::move(runner)));
  co_return std::move(outcome).take();
}

// Behind the answer, because ending a process tree takes some milliseconds.
Async<> Runs::close_runner(std::unique_ptr<Runner> runner) { co_await runner->close(); }

Async<RunOutcome> Runs::run_in(Runner* runner, ClaimedRun run, std::shared_ptr<OpenRun> open) {
  std::string session_id = session_for(run)->id().text();
  Door door = runner->take_door();
  Caller caller{.team = run.run.team, .run = run.run.id.text()};
  Server door_server(
      executor_, clock_, random_, ServerLimits{},
      asio::ip::tcp::acceptor(executor_, asio::ip::tcp::v4(), door.listener.release()),
      [this, caller](Request request) { return door_handler_(std::move(request), caller); });
  door_server.start();
  RunnerOrder order{
      .task_name = run.task_name,
      .bundle = std::move(run.bundle),
      .environment = environment_of(run, session_id, door.url),
      .inputs = run.settings.inputs,
      .session_id = session_id,
      .execution_id = run.run.id.text(),
  };
  open->begun_at = clock_.wall_now();
  RunOutcome outcome;
  std::vector<Async<>> ends;
  ends.push_back(pass_outcome(runner->run(std::move(order), open->log), &outcome));
  ends.push_back(stop_politely(runner, open.get()));
  ends.push_back(clock_.sleep(limits_.run_time_max));
  ends.push_back(keep_storing_log(run.run.id, open.get()));
  auto first = co_await outcome_of(first_of(std::move(ends)));
  co_await door_server.close();
  switch (std::move(first).take()) {
    case 0:
      // Code that ends because it was told to stop was stopped all the same.
      co_return open->stop_wanted.is_set() ? open->stop_outcome : outcome;
    case 1:
      co_return open->stop_outcome;
    default: {
      auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(limits_.run_time_max);
      co_return RunOutcome{
          .status = RunStatus::timeout,
          .output = std::nullopt,
          .error = "the task did not end within " + std::to_string(limit.count()) + " ms"};
    }
  }
}

Async<> Runs::pass_outcome(Async<RunOutcome> work, RunOutcome* outcome) {
  *outcome = co_await std::move(work);
}

Async<> Runs::stop_politely(Runner* runner, OpenRun* open) {
  co_await open->stop_wanted.wait();
  co_await runner->request_cancel();
  co_await clock_.sleep(cancel_grace);
}

std::string Runs::next_log_piece(OpenRun& open) {
  json::array lines;
  for (; open.log_lines_stored < open.log->lines().size(); ++open.log_lines_stored) {
    lines.push_back(to_json(open.log->lines()[open.log_lines_stored]));
  }
  return lines.empty() ? std::string() : json::serialize(lines);
}

Async<> Runs::keep_storing_log(RunId id, OpenRun* open) {
  while (true) {
    co_await clock_.sleep(log_store_interval);
    if (std::string piece = next_log_piece(*open); !piece.empty()) {
      co_await table_.append_log(id, open->log_pieces_stored++, std::move(piece));
    }
  }
}

Async<Run> Runs::wait(RunId id) {
  // Noted down before the row is read, so that its end can't slip through in between.
  std::shared_ptr<OpenRun> open = open_run(id);
  Run run = co_await table_.find(id);
  if (!is_ended(run.status)) {
    co_await open->ended.wait();
    co_return co_await table_.find(id);
  }
  auto entry = open_.find(id);
  if (entry != open_.end() && entry->second == open) {
    open_.erase(entry);
  }
  co_return run;
}

Async<> Runs::cancel(TeamId team, TaskId task, RunId id) {
  Run run = co_await table_.find(team, task, id);
  auto entry = open_.find(id);
  if (run.status == RunStatus::queued && co_await table_.cancel_queued(id)) {
    entry = open_.find(id);
    if (entry != open_.end()) {
      entry->second->log->finish();
      entry->second->ended.set();
      open_.erase(entry);
    }
    co_return;
  }
  entry = open_.find(id);
  if (entry == open_.end()) {
    throw Error(ErrorCode::conflict, "the execution has ended already");
  }
  std::shared_ptr<OpenRun> open = entry->second;
  if (!open->stop_wanted.is_set()) {
    open->stop_outcome = {
        .status = RunStatus::cancelled, .output = std::nullopt, .error = "cancelled"};
    open->stop_wanted.set();
  }
  co_await open->ended.wait();
}

Async<Run> Runs::find(TeamId team, TaskId task, RunId id) { return table_.find(team, task, id); }

Async<RunPage> Runs::list(TeamId team, TaskId task, RunFilter filter, std::int64_t page,
                          std::int64_t limit) {
  return table_.list(team, task, std::move(filter), page, limit);
}

std::shared_ptr<RunLog> Runs::open_log(const RunId& id) const {
  auto entry = open_.find(id);
  return entry != open_.end() ? entry->second->log : nullptr;
}

Async<json::array> Runs::stored_log(RunId id) {
  json::array lines;
  for (const std::string& piece : co_await table_.log_pieces(id)) {
    json::value parsed = parse_json(piece, "a stored log");
    for (json::value& line : parsed.as_array()) {
      lines.push_back(std::move(line));
    }
  }
  co_return lines;
}

SessionConfig Runs::configuration_of(const std::string& run) const {
  auto id = RunId::parse(run);
  auto entry = id ? open_.find(*id) : open_.end();
  return entry != open_.end() ? entry->second->configuration : SessionConfig();
}

Async<> Runs::close(Duration grace) {
  closing_ = true;
  slot_or_work_.set();
  auto drained =
      co_await outcome_of(within(clock_, grace, scope_.drain(), "runs are still under way"));
  for (const auto& [id, open] : open_) {
    if (!open->stop_wanted.is_set()) {
      open->stop_outcome = failed("server shutdown");
      open->stop_wanted.set();
    }
  }
  co_await scope_.drain();
}

}  // namespace capstan
