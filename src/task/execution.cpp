#include "task/execution.h"

#include "base/log.h"
#include "io/race.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

// How long code that is told to stop may take to clean up behind itself.
constexpr auto stop_grace = 2s;
constexpr auto log_store_interval = 1s;

// Which door a call came through tells who calls, so keys don't matter there; the SDK insists on
// having one.
constexpr std::string_view door_key = "through-the-door";

// What a task may ask of the server at the same time. One needs a handful of connections, and sends
// little but the code of tasks that it makes.
ServerLimits door_limits() {
  ServerLimits limits;
  limits.bodies_bytes_max = std::size_t{16} << 20;
  limits.answers_bytes_max = std::size_t{64} << 20;
  limits.messages_bytes_max = std::size_t{256} << 20;
  limits.connections_max = 64;
  return limits;
}

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

// In the recording of its session, what the run says is seen beside what the page showed then.
void mark_lines(Session* session, const RunLog& log, std::size_t* marked) {
  for (; *marked < log.lines().size(); ++*marked) {
    const LogLine& line = log.lines()[*marked];
    session->mark("log", {{"stream", to_json(line).at("stream")}, {"text", line.text}});
  }
}

}  // namespace

Executions::Executions(Executor executor, Clock& clock, Random& random, Runners& runners,
                       Sessions& sessions, RunTable& table, Duration run_time_max)
    : executor_(std::move(executor)),
      clock_(clock),
      random_(random),
      runners_(runners),
      sessions_(sessions),
      table_(table),
      run_time_max_(run_time_max),
      scope_(executor_, "executions") {}

Async<RunOutcome> Executions::execute(ClaimedRun run, std::shared_ptr<OpenRun> open) {
  std::string id = run.run.id.text();
  auto outcome = co_await outcome_of(execute_in_runner(std::move(run), open));
  if (outcome.ok()) {
    co_return std::move(outcome).take();
  }
  const Error& error = outcome.error();
  // A session that its owner has ended meanwhile is no fault of the server's.
  if (error.code() == ErrorCode::not_found) {
    co_return failure(error.message());
  }
  log_error("run_not_executed",
            {{"run", id}, {"message", error.message()}, {"cause", error.cause()}});
  co_return server_failure(error.message());
}

Async<RunOutcome> Executions::execute_in_runner(ClaimedRun run, std::shared_ptr<OpenRun> open) {
  open->configuration = run.settings.browser_configuration;
  std::unique_ptr<Runner> runner = co_await runners_.take();
  Runner* borrowed = runner.get();
  auto outcome = co_await outcome_of(run_in(borrowed, std::move(run), open));
  scope_.spawn(close_runner(std::move(runner)));
  co_return std::move(outcome).take();
}

// Behind the answer, because ending a process tree takes some milliseconds.
Async<> Executions::close_runner(std::unique_ptr<Runner> runner) { co_await runner->close(); }

Async<RunOutcome> Executions::run_in(Runner* runner, ClaimedRun run,
                                     std::shared_ptr<OpenRun> open) {
  if (open->stop_wanted.is_set()) {
    co_return open->stop_outcome;  // none of its code has run
  }
  std::shared_ptr<Session> session = session_for(run);
  std::string session_id = session->id().text();
  Door door = runner->take_door();
  Caller caller{.team = run.run.team, .run = run.run.id.text()};
  std::unique_ptr<Gateway> gateway = open_gateway(runner, run);
  Server door_server(
      executor_, clock_, random_, door_limits(),
      asio::ip::tcp::acceptor(executor_, asio::ip::tcp::v4(), door.listener.release()),
      [this, caller](Request request) { return door_handler_(std::move(request), caller); });
  door_server.start();
  if (gateway) {
    gateway->start();
  }
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
  ends.push_back(clock_.sleep(run_time_max_));
  ends.push_back(keep_storing_log(run.run.id, open.get()));
  std::size_t marked = 0;
  ends.push_back(mark_log(session.get(), open->log.get(), &marked));
  auto first = co_await outcome_of(first_of(std::move(ends)));
  mark_lines(session.get(), *open->log, &marked);
  co_await door_server.close();
  if (gateway) {
    co_await gateway->close();
  }
  switch (std::move(first).take()) {
    case 0:
      // Code that ends because it was told to stop was stopped all the same.
      co_return open->stop_wanted.is_set() ? open->stop_outcome : outcome;
    case 1:
      co_return open->stop_outcome;
    default: {
      auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(run_time_max_);
      co_return RunOutcome{
          .status = RunStatus::timeout,
          .error = "the task did not end within " + std::to_string(limit.count()) + " ms"};
    }
  }
}

std::unique_ptr<Gateway> Executions::open_gateway(Runner* runner, const ClaimedRun& run) {
  if (!runners_.has_exit()) {
    return nullptr;
  }
  return sessions_.open_gateway(run.run.team, run.settings.browser_configuration,
                                runner->take_exit().listener, run.run.id.text());
}

Async<> Executions::pass_outcome(Async<RunOutcome> work, RunOutcome* outcome) {
  *outcome = co_await std::move(work);
}

Async<> Executions::stop_politely(Runner* runner, OpenRun* open) {
  co_await open->stop_wanted.wait();
  auto asked = co_await outcome_of(
      within(clock_, stop_grace, runner->request_cancel(), "the process does not listen"));
  co_await clock_.sleep(stop_grace);
}

// Never throws: a run does not fail because its log can't be stored at the moment.
Async<> Executions::keep_storing_log(RunId id, OpenRun* open) {
  while (true) {
    co_await clock_.sleep(log_store_interval);
    std::size_t lines = open->log->lines().size();
    std::string piece = open->unstored_log();
    if (piece.empty()) {
      continue;
    }
    auto stored =
        co_await outcome_of(table_.append_log(id, open->log_pieces_stored, std::move(piece)));
    if (stored.ok()) {
      open->log_lines_stored = lines;
      ++open->log_pieces_stored;
    } else {
      log_warning("log_not_stored", {{"run", id.text()}, {"cause", stored.error().cause()}});
    }
  }
}

Async<> Executions::mark_log(Session* session, RunLog* log, std::size_t* marked) {
  while (true) {
    co_await log->more_than(*marked);
    if (log->lines().size() <= *marked) {
      co_await Event(executor_).wait();  // no more will come
    }
    mark_lines(session, *log, marked);
  }
}

std::shared_ptr<Session> Executions::session_for(const ClaimedRun& run) {
  if (run.settings.session) {
    return sessions_.running(run.run.team, *run.settings.session);
  }
  BrowserKind kind = sessions_.kind_for(run.settings.browser_configuration);
  return sessions_.prepare({.team = run.run.team,
                            .config = run.settings.browser_configuration,
                            .kind = kind,
                            .run = run.run.id.text()});
}

std::vector<std::string> Executions::session_ids_of(const ClaimedRun& run) const {
  std::vector<std::string> ids;
  if (run.settings.session) {
    ids.push_back(run.settings.session->text());
  }
  for (const SessionId& id : sessions_.opened_by_run(run.run.id.text())) {
    ids.push_back(id.text());
  }
  return ids;
}

void Executions::end_sessions(const ClaimedRun& run) {
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

}  // namespace capstan
