#include "app/run_command.h"

#include <cstdio>

#include "app/table.h"
#include "app/task_calls.h"

namespace capstan {
namespace {

constexpr int list_max = 100;  // what the API gives at once

std::string took(const json::object& run) {
  std::string ms = text_in(run, "executionTime");
  return ms.empty() ? "" : ms + " ms";
}

// While it waits, and if it was ended before its turn, the API's startTime is when it was accepted.
bool has_begun(const json::object& run) {
  return text_in(run, "status") == "running" || !text_in(run, "executionTime").empty();
}

void print_line(const json::object& line) {
  print(text_in(line, "time") + "  " + text_in(line, "text"));
}

void print_lines(const json::array& lines) {
  for (const json::value& line : lines) {
    print_line(line.as_object());
  }
}

void print_run(const json::object& run) {
  std::vector<TableRow> rows{{"id", text_in(run, "id")},
                             {"version", text_in(run, "version")},
                             {"status", text_in(run, "status")},
                             {has_begun(run) ? "started" : "accepted", text_in(run, "startTime")}};
  if (std::string time = took(run); !time.empty()) {
    rows.push_back({"took", time});
  }
  for (const json::value& session : run.at("sessionIds").as_array()) {
    rows.push_back({"session", std::string(session.as_string())});
  }
  print(to_table(rows));
  for (std::string_view field : {"output", "errorMessage"}) {
    if (std::string text = text_in(run, field); !text.empty()) {
      print("\n" + text);
    }
  }
}

}  // namespace

RunCommand::RunCommand(CLI::App& command) {
  command.require_subcommand(1);
  list_ = command.add_subcommand("list", "List a task's runs, newest first");
  list_->add_option("--limit", limit_, "How many at most")->check(CLI::Range(1, list_max));
  show_ = command.add_subcommand("show", "Show a run and its result");
  logs_ = command.add_subcommand("logs", "Show what a run has printed");
  logs_->add_flag("-f,--follow", follow_, "Go on until the run has ended");
  for (CLI::App* subcommand : {list_, show_, logs_}) {
    subcommand->add_option("TASK", task_, "The task's name")->required();
    add_client_flags(*subcommand, flags_);
  }
  for (CLI::App* subcommand : {show_, logs_}) {
    subcommand->add_option("ID", id_, "The run's id, as `task run --async` prints it")->required();
  }
}

ExitCode RunCommand::run() { return list_->parsed() ? list() : show_->parsed() ? show() : logs(); }

ExitCode RunCommand::list() const {
  ApiClient api = connect(flags_);
  std::string task_id = text_in(find_task(api, task_), "id");
  json::value data = api.get("/v1/task/" + task_id + "/executions?limit=" + std::to_string(limit_));
  if (flags_.json) {
    print(data);
    return ExitCode::ok;
  }
  std::vector<TableRow> rows{{"ID", "VERSION", "STATUS", "STARTED", "TOOK"}};
  for (const json::value& item : data.at("results").as_array()) {
    const json::object& run = item.as_object();
    rows.push_back({text_in(run, "id"), text_in(run, "version"), text_in(run, "status"),
                    has_begun(run) ? text_in(run, "startTime") : "", took(run)});
  }
  print(to_table(rows));
  if (rows.size() == 1) {
    std::fprintf(stderr,
                 "capstan: no runs of a published version; runs of a draft are not listed, but "
                 "`capstan run show` knows them by their id\n");
  }
  return ExitCode::ok;
}

ExitCode RunCommand::show() const {
  ApiClient api = connect(flags_);
  json::value run = api.get(run_path(text_in(find_task(api, task_), "id"), id_));
  flags_.json ? print(run) : print_run(run.as_object());
  return ExitCode::ok;
}

ExitCode RunCommand::logs() const {
  ApiClient api = connect(flags_);
  std::string path = run_path(text_in(find_task(api, task_), "id"), id_);
  if (follow_) {
    // A line each as it comes, also into a pipe.
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    follow_run(api, path, std::nullopt,
               [&](const json::object& line) { flags_.json ? print(line) : print_line(line); });
    return ExitCode::ok;
  }
  json::value data = api.get(path + "/logs");
  flags_.json ? print(data) : print_lines(data.at("logs").as_array());
  return ExitCode::ok;
}

}  // namespace capstan
