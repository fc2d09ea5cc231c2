#include "app/task_command.h"

#include <cstdio>
#include <filesystem>

#include "app/table.h"
#include "app/task_calls.h"
#include "app/units.h"
#include "base/text.h"
#include "io/file.h"
#include "io/outcome.h"

namespace capstan {
namespace {

constexpr int page_tasks = 100;

std::string read_code(const std::string& file) {
  auto code = outcome_of_call([&] { return read_file(file); });
  if (!code.ok()) {
    throw Error(ErrorCode::invalid_argument, code.error().message());
  }
  return std::move(code).take();
}

std::optional<Duration> read_limit(const std::string& text) {
  if (text.empty()) {
    return std::nullopt;
  }
  auto limit = parse_duration(text);
  if (!limit) {
    throw Error(ErrorCode::invalid_argument,
                "--timeout must be a time such as 500ms, 5s, 10m or 3h, not " + text);
  }
  return limit;
}

std::string latest_of(const json::object& task) {
  std::string latest = text_in(task, "latestVersion");
  return latest.empty() ? "none" : latest;
}

// The lines of a run go where its own process would write them, were it ours: beside the result.
void show_line(const json::object& line) {
  std::fprintf(stderr, "%s\n", text_in(line, "text").c_str());
}

}  // namespace

TaskCommand::TaskCommand(CLI::App& command) {
  command.require_subcommand(1);
  push_ = command.add_subcommand("push", "Store a file as a task's draft");
  add_push(*push_);
  run_ = command.add_subcommand("run", "Run a task; its output goes to standard output");
  add_run(*run_);
  list_ = command.add_subcommand("list", "List tasks");
  show_ = command.add_subcommand("show", "Show a task and its versions");
  show_->add_option("NAME", name_, "The task")->required();
  for (CLI::App* subcommand : {push_, run_, list_, show_}) {
    add_client_flags(*subcommand, flags_);
  }
}

void TaskCommand::add_push(CLI::App& command) {
  command.add_option("FILE", file_, "The task's module, in TypeScript")
      ->required()
      ->check(CLI::ExistingFile);
  command.add_option("--name", name_, "The task's name, if it isn't the file's");
  command.add_flag("--deploy", deploy_, "Publish it as the next version, too");
}

void TaskCommand::add_run(CLI::App& command) {
  command.add_option("NAME", name_, "The task")->required();
  command.add_option("-i,--input", inputs_, "ANCHOR_NAME=VALUE; may be given again")
      ->allow_extra_args(false);
  command.add_option("--version", version_, "A number or draft, in place of the latest version");
  auto* async = command.add_flag("--async", async_, "Don't wait; print the run's id");
  command
      .add_option("--timeout", limit_, "Wait no longer than 500ms, 5s, 10m or 3h; the run goes on")
      ->excludes(async);
  command.add_flag("-q,--quiet", quiet_, "Don't show what the task prints while it runs");
}

ExitCode TaskCommand::run() {
  return push_->parsed() ? push() : run_->parsed() ? start() : list_->parsed() ? list() : show();
}

ExitCode TaskCommand::push() const {
  std::string name = name_.empty() ? std::filesystem::path(file_).stem().string() : name_;
  json::object body{
      {"name", name}, {"language", "typescript"}, {"code", encode_base64(read_code(file_))}};
  ApiClient api = connect(flags_);
  json::object stored = api.post("/v1/task", body).as_object();
  std::string id = text_in(stored, "id");
  std::string version = "draft";
  if (deploy_) {
    // The code goes along, so that it is this one, whoever else is writing the draft.
    stored = api.post("/v1/task/" + id + "/deploy", {{"code", body["code"]}}).as_object();
    version = text_in(stored, "version");
  }
  if (flags_.json) {
    print(stored);
  } else {
    print(to_table({{"NAME", "VERSION", "ID"}, {name, version, id}}));
  }
  return ExitCode::ok;
}

json::object TaskCommand::run_body() const {
  json::object inputs;
  for (const std::string& input : inputs_) {
    std::size_t equals = input.find('=');
    if (equals == std::string::npos) {
      throw Error(ErrorCode::invalid_argument,
                  "an input is given as ANCHOR_NAME=VALUE, not " + input);
    }
    inputs[input.substr(0, equals)] = input.substr(equals + 1);
  }
  // Waiting is reading the log: that shows life on both sides, however long it takes.
  json::object body{{"async", true}, {"inputs", std::move(inputs)}};
  if (!version_.empty()) {
    body["version"] = version_;
  }
  return body;
}

ExitCode TaskCommand::start() const {
  std::optional<Duration> limit = read_limit(limit_);
  json::object body = run_body();
  ApiClient api = connect(flags_);
  json::object started = api.post("/v1/task/run/" + encode_percent(name_), body).as_object();
  std::string id = text_in(started, "executionResultId");
  if (async_) {
    flags_.json ? print(started) : print(id);
    return ExitCode::ok;
  }
  if (!quiet_ && !flags_.json) {
    std::fprintf(stderr, "capstan: run %s\n", id.c_str());
  }
  auto followed = outcome_of_call([&] {
    return follow_run(api, run_path(text_in(started, "taskId"), id), limit,
                      [&](const json::object& line) {
                        if (!quiet_) {
                          show_line(line);
                        }
                      });
  });
  if (!followed.ok()) {
    throw Error(
        followed.error().code(),
        followed.error().message() + "; the run goes on: capstan run show " + name_ + " " + id,
        followed.error().cause());
  }
  json::object run = std::move(followed).take();
  std::string status = text_in(run, "status");
  if (flags_.json) {
    print(run);
  } else if (run.contains("output") && !run["output"].is_null()) {
    print(text_in(run, "output"));
  }
  if (status != "success") {
    std::fprintf(stderr, "capstan: run %s: %s: %s\n", id.c_str(), status.c_str(),
                 text_in(run, "errorMessage").c_str());
  }
  return to_exit_code(status);
}

ExitCode TaskCommand::list() const {
  ApiClient api = connect(flags_);
  json::array tasks;
  std::size_t total = 0;
  for (int page = 1; page == 1 || tasks.size() < total; ++page) {
    json::object data =
        api.get("/v1/task?limit=" + std::to_string(page_tasks) + "&page=" + std::to_string(page))
            .as_object();
    json::array& more = data.at("tasks").as_array();
    if (more.empty()) {
      break;  // some were deleted meanwhile
    }
    tasks.insert(tasks.end(), more.begin(), more.end());
    total = data.at("total").to_number<std::size_t>();
  }
  if (flags_.json) {
    print(json::object{{"tasks", std::move(tasks)}, {"total", total}});
    return ExitCode::ok;
  }
  std::vector<TableRow> rows{{"NAME", "LATEST", "UPDATED", "ID"}};
  for (const json::value& item : tasks) {
    const json::object& task = item.as_object();
    rows.push_back(
        {text_in(task, "name"), latest_of(task), text_in(task, "updatedAt"), text_in(task, "id")});
  }
  print(to_table(rows));
  return ExitCode::ok;
}

ExitCode TaskCommand::show() const {
  ApiClient api = connect(flags_);
  json::object task = find_task(api, name_);
  if (flags_.json) {
    print(task);
    return ExitCode::ok;
  }
  std::vector<TableRow> rows{{"name", text_in(task, "name")},
                             {"id", text_in(task, "id")},
                             {"latest", latest_of(task)},
                             {"created", text_in(task, "createdAt")},
                             {"updated", text_in(task, "updatedAt")}};
  if (task.contains("description")) {
    rows.push_back({"description", text_in(task, "description")});
  }
  print(to_table(rows));
  json::value versions = api.get("/v1/task/" + text_in(task, "id") + "/versions");
  rows = {{"VERSION", "CREATED", "UPDATED", "DESCRIPTION"}};
  for (const json::value& item : versions.at("versions").as_array()) {
    const json::object& version = item.as_object();
    rows.push_back({text_in(version, "version"), text_in(version, "createdAt"),
                    text_in(version, "updatedAt"), text_in(version, "description")});
  }
  print("\n" + to_table(rows));
  return ExitCode::ok;
}

}  // namespace capstan
