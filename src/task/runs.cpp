#include "task/runs.h"

#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include "base/log.h"
#include "io/race.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view interrupted = "interrupted by a server restart";
// A signal is a hint, the row is the truth: the queue, and whoever waits for a run, look this
// often.
constexpr auto look_interval = 5s;
// How soon what couldn't be stored is tried again.
constexpr auto store_retry_interval = 2s;

}  // namespace

Runs::Runs(Executor executor, Clock& clock, Random& random, Database& database, Cage& cage,
           Runners& runners, Sessions& sessions, const Exits& exits, Metrics& metrics,
           RunLimits limits)
    : executor_(std::move(executor)),
      clock_(clock),
      cage_(cage),
      sessions_(sessions),
      table_(database, clock, random, exits, limits.queue),
      executions_(executor_, clock, random, runners, sessions, table_, limits.run_time_max),
      limits_(limits),
      running_gauge_(metrics.gauge("capstan_runs_running", "Runs that are being executed.")),
      run_seconds_(metrics.seconds("capstan_run_seconds", "Time that runs took, once begun.")),
      closing_(executor_),
      slot_or_work_(executor_),
      scope_(executor_, "runs") {}

Async<> Runs::start(DoorHandler door_handler) {
  executions_.set_door_handler(std::move(door_handler));
  std::int64_t failed_count = co_await table_.fail_interrupted(std::string(interrupted));
  if (failed_count > 0) {
    log_warning("runs_interrupted", {{"count", failed_count}});
  }
  slot_or_work_.set();
  scope_.spawn(work_off_queue());
}

std::optional<std::string> Runs::trouble() const {
  if (!queue_trouble_.empty()) {
    return queue_trouble_;
  }
  return shortfall(cage_.isolation(CageKind::task), limits_.isolation_min);
}

std::shared_ptr<OpenRun> Runs::open_run(const RunId& id) {
  auto entry = open_.find(id);
  if (entry == open_.end()) {
    auto open = std::make_shared<OpenRun>(executor_, clock_, limits_.log_bytes_max);
    entry = open_.emplace(id, std::move(open)).first;
  }
  return entry->second;
}

void Runs::forget(const RunId& id, const std::shared_ptr<OpenRun>& open) {
  auto entry = open_.find(id);
  if (entry != open_.end() && entry->second == open) {
    open_.erase(entry);
  }
}

void Runs::free_slot() {
  --running_;
  running_gauge_.Set(static_cast<double>(running_));
  slot_or_work_.set();
}

Async<Run> Runs::accept(StartRun order) {
  if (auto reason = trouble()) {
    throw Error(ErrorCode::unavailable, "tasks are not run: " + *reason);
  }
  if (closing_.is_set()) {
    throw Error(ErrorCode::unavailable, "the server is shutting down").retry_after(5s);
  }
  if (order.settings.session) {
    auto running = co_await outcome_of(sessions_.find_running(order.team, *order.settings.session));
    order.session_trouble = running.ok() ? std::nullopt : std::optional(running.error().message());
  }
  // A slot is taken before the row is written, so that claiming it needs no second write.
  bool claim = running_ < limits_.running_max && !may_be_queued_;
  if (claim) {
    ++running_;
  }
  auto accepted = co_await outcome_of(table_.accept(std::move(order), claim));
  if (claim && (!accepted.ok() || !accepted.value().is_new)) {
    free_slot();
  }
  AcceptedRun run = std::move(accepted).take();
  if (run.is_new) {
    open_run(run.run.id);
    RunClaim its_claim{run.run.id, run.run.attempt};
    if (claim && closing_.is_set()) {
      co_await give_back(its_claim);
    } else if (claim) {
      begin(its_claim);
    } else {
      may_be_queued_ = true;
      slot_or_work_.set();
    }
  }
  co_return std::move(run.run);
}

void Runs::begin(RunClaim claim) {
  running_gauge_.Set(static_cast<double>(running_));
  open_run(claim.id)->is_claimed = true;
  scope_.spawn(live(std::move(claim)));
}

// For a claim that came while the server began to close: the next start executes it.
Async<> Runs::give_back(RunClaim claim) {
  auto given = co_await outcome_of(table_.give_back(std::move(claim)));
  if (!given.ok()) {
    log_error("run_not_given_back", {{"cause", given.error().cause()}});
  }
  free_slot();
}

Async<> Runs::work_off_queue() {
  while (!closing_.is_set()) {
    slot_or_work_.clear();
    while (!closing_.is_set() && running_ < limits_.running_max) {
      ++running_;
      may_be_queued_ = false;  // before looking: what is queued meanwhile raises it again
      auto claimed = co_await outcome_of(table_.claim_next());
      queue_trouble_ = claimed.ok() ? std::string() : claimed.error().message();
      if (!claimed.ok()) {
        log_error("queue_not_read", {{"cause", claimed.error().cause()}});
      }
      std::optional<RunClaim> claim = claimed.ok() ? claimed.value() : std::nullopt;
      may_be_queued_ = may_be_queued_ || claim || !claimed.ok();
      if (!claim) {
        --running_;
        break;
      }
      if (closing_.is_set()) {
        co_await give_back(std::move(*claim));
      } else {
        begin(std::move(*claim));
      }
    }
    std::vector<Async<>> either;
    either.push_back(slot_or_work_.wait());
    either.push_back(pause(look_interval));
    co_await first_of(std::move(either));
  }
}

Async<> Runs::live(RunClaim claim) {
  std::shared_ptr<OpenRun> open = open_run(claim.id);
  SteadyTime begin_time = clock_.now();
  auto run = co_await outcome_of(table_.load(claim.id));
  RunOutcome outcome;
  std::vector<std::string> session_ids;
  if (run.ok()) {
    outcome = co_await executions_.execute(run.value(), open);
    session_ids = executions_.session_ids_of(run.value());
  } else {
    outcome = server_failure(run.error().message());
  }
  outcome.begun_at = open->begun_at;
  open->log->finish();
  RunStatus status = outcome.status;
  bool stored = co_await store_end(claim, outcome, session_ids, open.get());
  if (run.ok()) {
    executions_.end_sessions(run.value());  // who is told of the run's end finds them ended
  }
  while (!stored && !closing_.is_set()) {
    co_await pause(store_retry_interval);
    stored = co_await store_end(claim, outcome, session_ids, open.get());
  }
  open->ended.set();
  forget(claim.id, open);
  free_slot();
  std::chrono::duration<double> took = clock_.now() - begin_time;
  run_seconds_.Observe(took.count());
  log_info("run_ended", {{"run", claim.id.text()},
                         {"status", to_text(status)},
                         {"after_ms", static_cast<std::int64_t>(took.count() * 1000)}});
}

Async<bool> Runs::store_end(RunClaim claim, RunOutcome outcome,
                            std::vector<std::string> session_ids, OpenRun* open) {
  std::string id = claim.id.text();
  auto stored = co_await outcome_of(table_.finish(std::move(claim), std::move(outcome),
                                                  std::move(session_ids), open->unstored_log()));
  if (!stored.ok()) {
    log_error("run_not_stored", {{"run", id}, {"cause", stored.error().cause()}});
  }
  co_return stored.ok();
}

Async<Run> Runs::wait(RunId id) {
  // Noted down before the row is read, so that its end can't slip through in between.
  std::shared_ptr<OpenRun> open = open_run(id);
  while (true) {
    bool is_last_look = open->ended.is_set() || (closing_.is_set() && !open->is_claimed);
    Run run = co_await table_.find(id);
    if (is_ended(run.status) || is_last_look) {
      forget(id, open);
      co_return run;
    }
    std::vector<Async<>> either;
    either.push_back(open->ended.wait());
    either.push_back(open->is_claimed ? clock_.sleep(look_interval) : pause(look_interval));
    co_await first_of(std::move(either));
  }
}

Async<> Runs::cancel(TeamId team, TaskId task, RunId id) {
  Run run = co_await table_.find(team, task, id);
  if (run.status == RunStatus::queued && co_await table_.cancel_queued(id)) {
    std::shared_ptr<OpenRun> open = open_run(id);
    open->log->finish();
    open->ended.set();
    forget(id, open);
    co_return;
  }
  bool is_late = is_ended(run.status);
  if (!is_late) {
    open_run(id)->stop({.status = RunStatus::cancelled, .error = "cancelled"});
    run = co_await wait(id);
  }
  if (is_late || run.status != RunStatus::cancelled) {
    throw Error(ErrorCode::conflict,
                "the execution has ended already: " + std::string(to_text(run.status)));
  }
}

Async<Run> Runs::find(TeamId team, TaskId task, RunId id) { return table_.find(team, task, id); }

Async<Run> Runs::with_output(Run run) { return table_.with_output(std::move(run)); }

Async<RunPage> Runs::list(TeamId team, TaskId task, RunFilter filter, std::int64_t page,
                          std::int64_t limit) {
  return table_.list(team, task, std::move(filter), page, limit);
}

Async<std::shared_ptr<RunLog>> Runs::open_log(RunId id) {
  // Noted down first, as in wait().
  std::shared_ptr<OpenRun> open = open_run(id);
  Run run = co_await table_.find(id);
  if (!is_ended(run.status)) {
    co_return open->log;
  }
  forget(id, open);
  co_return nullptr;
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
  closing_.set();
  slot_or_work_.set();
  for (const auto& [id, open] : open_) {
    if (!open->is_claimed) {
      open->log->finish();
      open->ended.set();
    }
  }
  auto drained =
      co_await outcome_of(within(clock_, grace, scope_.drain(), "runs are still under way"));
  for (const auto& [id, open] : open_) {
    open->stop(server_failure("server shutdown"));
  }
  co_await scope_.drain();
  co_await executions_.close();
}

}  // namespace capstan
