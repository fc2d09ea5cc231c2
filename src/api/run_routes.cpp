#include "api/run_routes.h"

#include "api/run_order.h"
#include "io/race.h"

namespace capstan {
namespace {

json::value or_null(const std::optional<std::string>& text) {
  return text ? json::value(*text) : json::value(nullptr);
}

std::optional<std::int64_t> execution_ms(const Run& run) {
  if (!run.started_at || !run.finished_at) {
    return std::nullopt;
  }
  return (*run.finished_at - *run.started_at).count();
}

json::object to_json(const Run& run) {
  auto duration = execution_ms(run);
  json::object object{
      {"id", run.id.text()},
      {"taskVersionId", run.task_version.text()},
      {"version", run.version},
      {"status", to_text(run.status)},
      {"output", or_null(run.output)},
      {"errorMessage", or_null(run.error)},
      {"startTime", to_rfc3339(run.started_at.value_or(run.accepted_at))},
      {"executionTime", duration ? json::value(*duration) : json::value(nullptr)},
      {"sessionIds", json::value_from(run.session_ids)},
  };
  if (run.output_left_out) {
    object["outputOmitted"] = true;
  }
  return object;
}

Response with_execution_id(const Run& run, Response response) {
  response.headers.push_back({"x-execution-id", run.id.text()});
  return response;
}

Response started(const Run& run) {
  return with_execution_id(run, data_response(json::object{{"success", true},
                                                           {"async", true},
                                                           {"message", "Task execution started"},
                                                           {"taskId", run.task.text()},
                                                           {"executionResultId", run.id.text()}}));
}

// The server stops before the run has ended, or failed to run it.
Response not_done(const Run& run) {
  if (is_ended(run.status)) {
    return with_execution_id(run, error_response(500, run.error.value_or("the server failed")));
  }
  Response response = with_execution_id(
      run, error_response(503, "the server is shutting down; execution " + run.id.text() + " is " +
                                   std::string(to_text(run.status))));
  response.headers.push_back({"retry-after", "5"});
  return response;
}

Response ended(const Run& run) {
  if (run.server_failed || !is_ended(run.status)) {
    return not_done(run);
  }
  bool success = run.status == RunStatus::success;
  json::object data{
      {"success", success},
      {"async", false},
      {"message", success ? "Task execution completed successfully" : "Task execution failed"},
      {"taskId", run.task.text()},
      {"executionTime", execution_ms(run).value_or(0)},
      {"executionResultId", run.id.text()}};
  if (run.output) {
    data["output"] = *run.output;
  }
  if (run.error) {
    data["error"] = *run.error;
  }
  return with_execution_id(run, data_response(std::move(data)));
}

RunFilter read_filter(const Request& request) {
  RunFilter filter;
  if (auto status = request.query_value("status")) {
    filter.status = parse_run_status(*status);
    if (!filter.status) {
      throw Error(ErrorCode::invalid_argument,
                  "status must be success, failure, timeout, cancelled, queued or running");
    }
  }
  if (auto version = request.query_value("version")) {
    auto selector = parse_version_selector(*version);
    if (!selector || selector->kind == VersionSelector::Kind::latest) {
      throw Error(ErrorCode::invalid_argument, "version must be draft or a number such as 1");
    }
    filter.version = selector->text();
  }
  return filter;
}

std::string server_event(std::string_view name, const json::object& data) {
  return "event: " + std::string(name) + "\ndata: " + json::serialize(data) + "\n\n";
}

bool wants_events(const Request& request) {
  return request.header("accept").value_or("").find("text/event-stream") != std::string_view::npos;
}

}  // namespace

Async<Response> RunRoutes::run_by_name(Call call) {
  RunRequest request = read_run_by_name(call, sealer_);
  call.request.drop_body();
  co_return co_await start(std::move(request.order), request.async);
}

Async<Response> RunRoutes::run_by_id(Call call) {
  RunRequest request = read_run_by_id(call, sealer_);
  call.request.drop_body();
  co_return co_await start(std::move(request.order), request.async);
}

Async<Response> RunRoutes::start(StartRun order, bool async) {
  Run run = co_await runs_.accept(std::move(order));
  if (async) {
    co_return started(run);
  }
  run = co_await runs_.wait(run.id);
  auto turn = co_await long_answers_.take();
  co_return ended(co_await runs_.with_output(std::move(run)));
}

Async<Response> RunRoutes::list(Call call) {
  Paging paging = read_paging(call.request);
  auto turn = co_await long_answers_.take();
  RunPage page = co_await runs_.list(call.caller.team, call.id<TaskId>("taskId", "task"),
                                     read_filter(call.request), paging.page, paging.limit);
  json::array results;
  for (const Run& run : page.runs) {
    results.push_back(to_json(run));
  }
  json::object pagination{{"page", paging.page},
                          {"limit", paging.limit},
                          {"total", page.total},
                          {"totalPages", (page.total + paging.limit - 1) / paging.limit}};
  co_return data_response(
      json::object{{"results", std::move(results)}, {"pagination", std::move(pagination)}});
}

Async<Response> RunRoutes::retrieve(Call call) {
  Run run = co_await runs_.find(call.caller.team, call.id<TaskId>("taskId", "task"),
                                call.id<RunId>("executionId", "execution"));
  auto turn = co_await long_answers_.take();
  co_return data_response(to_json(co_await runs_.with_output(std::move(run))));
}

Async<Response> RunRoutes::cancel(Call call) {
  co_await runs_.cancel(call.caller.team, call.id<TaskId>("taskId", "task"),
                        call.id<RunId>("executionId", "execution"));
  co_return data_response(json::object{{"success", true}, {"message", "Task execution cancelled"}});
}

Async<Response> RunRoutes::logs(Call call) {
  Run run = co_await runs_.find(call.caller.team, call.id<TaskId>("taskId", "task"),
                                call.id<RunId>("executionId", "execution"));
  std::shared_ptr<RunLog> log = co_await runs_.open_log(run.id);
  if (wants_events(call.request)) {
    Response response;
    response.headers = {{"content-type", "text/event-stream"}, {"cache-control", "no-store"}};
    response.stream = [this, id = run.id, log](BodyWriter& writer) {
      return follow(id, log, &writer);
    };
    co_return response;
  }
  auto turn = co_await long_answers_.take();
  json::array lines;
  if (log) {
    for (const LogLine& line : log->lines()) {
      lines.push_back(capstan::to_json(line));
    }
  } else {
    lines = co_await runs_.stored_log(run.id);
  }
  bool truncated = is_truncated(lines);
  co_return data_response(json::object{{"logs", std::move(lines)}, {"truncated", truncated}});
}

// Log lines as they come, then the execution. A comment now and then keeps proxies from taking
// the silence for the end, and shows whether the reader is still there.
Async<> RunRoutes::follow(RunId id, std::shared_ptr<RunLog> log, BodyWriter* writer) {
  using namespace std::chrono_literals;
  if (log) {
    std::size_t sent = 0;
    while (sent < log->lines().size() || !log->is_finished()) {
      auto more = co_await outcome_of(within(clock_, 15s, log->more_than(sent), "silence"));
      if (!more.ok()) {
        co_await writer->write(": still here\n\n");
      }
      for (; sent < log->lines().size(); ++sent) {
        co_await writer->write(server_event("log", capstan::to_json(log->lines()[sent])));
      }
    }
  } else {
    for (const json::value& line : co_await runs_.stored_log(id)) {
      co_await writer->write(server_event("log", line.as_object()));
    }
  }
  co_await writer->write(co_await end_event(id));
}

// Apart, so that the event's text is all that is kept while a slow client reads it.
Async<std::string> RunRoutes::end_event(RunId id) {
  Run run = co_await runs_.wait(id);
  auto turn = co_await long_answers_.take();
  co_return server_event("end", to_json(co_await runs_.with_output(std::move(run))));
}

}  // namespace capstan
