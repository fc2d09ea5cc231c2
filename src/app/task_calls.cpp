#include "app/task_calls.h"

#include <cstdio>

namespace capstan {

ApiClient connect(const ClientFlags& flags) {
  ServerAddress address = server_address(flags, environment_of_process());
  return ApiClient(address.url, {"anchor-api-key", address.api_key});
}

json::object find_task(ApiClient& api, const std::string& name) {
  json::value data = api.get("/v1/task?limit=1&name=" + encode_percent(name));
  json::array& tasks = data.at("tasks").as_array();
  if (tasks.empty()) {
    throw Error(ErrorCode::not_found, "no task " + name);
  }
  return std::move(tasks.front().as_object());
}

std::string run_path(const std::string& task_id, const std::string& run_id) {
  return "/v1/task/" + encode_percent(task_id) + "/executions/" + encode_percent(run_id);
}

json::object follow_run(ApiClient& api, const std::string& path, std::optional<Duration> limit,
                        const std::function<void(const json::object& line)>& on_line) {
  std::optional<json::object> run;
  api.follow(path + "/logs", limit, [&](const std::string& name, const json::object& data) {
    if (name == "log") {
      on_line(data);
    } else if (name == "end") {
      run = data;
    }
  });
  if (!run) {
    throw Error(ErrorCode::unavailable, "the server went away before the run had ended");
  }
  return std::move(*run);
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (!text.ends_with('\n')) {
    std::fputc('\n', stdout);
  }
}

void print(const json::value& value) { print(json::serialize(value)); }

}  // namespace capstan
