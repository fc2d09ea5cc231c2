#pragma once

#include "app/api_client.h"
#include "app/command_flags.h"

namespace capstan {

// What several commands ask the server about tasks and runs.

// Under the environment of this process.
ApiClient connect(const ClientFlags& flags);

// The task of that name. Throws not_found.
json::object find_task(ApiClient& api, const std::string& name);

// "/v1/task/ID/executions/ID".
std::string run_path(const std::string& task_id, const std::string& run_id);

// Hands on the run's lines, from the first one, as they come; and the run, once it has ended.
// Throws unavailable when the server goes away before.
json::object follow_run(ApiClient& api, const std::string& path, std::optional<Duration> limit,
                        const std::function<void(const json::object& line)>& on_line);

// Prints to standard output, with a line end behind it.
void print(const std::string& text);
void print(const json::value& value);

}  // namespace capstan
