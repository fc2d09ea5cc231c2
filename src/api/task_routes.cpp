#include "api/task_routes.h"

#include <algorithm>

#include "session/session_config.h"

namespace capstan {
namespace {

constexpr std::size_t name_bytes_max = 255;
constexpr std::size_t description_bytes_max = 1000;

void put(json::object& object, std::string_view name, const std::optional<std::string>& text) {
  if (text) {
    object[name] = *text;
  }
}

void put(json::object& object, std::string_view name, const std::optional<SessionConfig>& config) {
  if (config) {
    object[name] = capstan::to_json(*config);
  }
}

json::object to_json(const Task& task, const std::optional<TaskVersion>& latest) {
  json::object object{
      {"id", task.id.text()},
      {"name", task.name},
      {"teamId", task.team.text()},
      {"latestVersion", task.latest},
      {"code", latest ? latest->code : ""},
      {"language", latest ? latest->language : "typescript"},
      {"deleted", false},
      {"createdAt", to_rfc3339(task.created_at)},
      {"updatedAt", to_rfc3339(task.updated_at)},
  };
  if (!latest && !task.latest.empty()) {
    object["codeOmitted"] = true;
  }
  put(object, "description", task.description);
  put(object, "browserConfiguration",
      latest && latest->browser_configuration ? latest->browser_configuration
                                              : task.browser_configuration);
  return object;
}

json::object to_metadata_json(const Task& task) {
  json::object object{
      {"id", task.id.text()},
      {"name", task.name},
      {"teamId", task.team.text()},
      {"latest", task.latest},
      {"deleted", false},
      {"createdAt", to_rfc3339(task.created_at)},
      {"updatedAt", to_rfc3339(task.updated_at)},
  };
  put(object, "description", task.description);
  return object;
}

json::object to_json(const TaskVersion& version) {
  json::object object{
      {"id", version.id.text()},
      {"taskId", version.task.text()},
      {"version", version_name(version.number)},
      {"code", version.code},
      {"language", version.language},
      {"deleted", false},
      {"createdAt", to_rfc3339(version.created_at)},
      {"updatedAt", to_rfc3339(version.updated_at)},
  };
  put(object, "description", version.description);
  put(object, "browserConfiguration", version.browser_configuration);
  return object;
}

void check_language(Fields& in, bool is_required) {
  auto language = in.string("language");
  if (is_required && !in.has("language")) {
    in.refuse("language", "is required");
  }
  if (language && *language != "typescript") {
    in.refuse("language", "must be typescript");
  }
}

std::optional<std::string> read_description(Fields& in) {
  auto description = in.string("description");
  if (description && description->size() > description_bytes_max) {
    in.refuse("description", "must not be longer than 1000 bytes");
  }
  return description;
}

NewVersion read_version(Fields& in, const TakePassword& take_password) {
  NewVersion version;
  version.code = in.string("code");
  version.description = read_description(in);
  if (in.object("browserConfiguration") != nullptr) {
    version.browser_configuration =
        read_session_config(in.nested("browserConfiguration"), take_password);
  }
  return version;
}

NewVersion read_version_body(const Call& call, const Sealer& sealer) {
  json::object body = call.body();
  Fields in(body);
  check_language(in, /*is_required=*/false);
  NewVersion version = read_version(in, sealing_for(call.caller.team, sealer));
  in.done();
  return version;
}

void check_name(Fields& in, const std::string& name) {
  if (!is_task_name(name)) {
    in.refuse("name", "must have 1 to 255 letters, digits, underscores or hyphens");
  }
}

VersionSelector selector_of(const Call& call) {
  auto which = parse_version_selector(call.field("taskVersion"));
  if (!which) {
    throw Error(ErrorCode::invalid_argument,
                "the version must be draft, latest or a number such as 1");
  }
  return *which;
}

TaskId task_of(const Call& call) { return call.id<TaskId>("taskId", "task"); }

Response success(std::string message) {
  return data_response(json::object{{"success", true}, {"message", std::move(message)}});
}

}  // namespace

bool is_task_name(std::string_view text) {
  return !text.empty() && text.size() <= name_bytes_max &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-';
         });
}

Async<Response> TaskRoutes::create(Call call) {
  json::object body = call.body();
  Fields in(body);
  NewTask order;
  order.name = in.required_string("name");
  if (in.has("name")) {
    check_name(in, order.name);
  }
  check_language(in, /*is_required=*/true);
  order.version = read_version(in, sealing_for(call.caller.team, sealer_));
  in.done();
  auto [task, latest] = co_await tasks_.create(call.caller.team, std::move(order));
  co_return data_response(to_json(task, latest));
}

Async<Response> TaskRoutes::list(Call call) {
  Paging paging = read_paging(call.request);
  std::optional<std::string> name;
  if (auto wanted = call.request.query_value("name")) {
    name = std::string(*wanted);
  }
  auto turn = co_await long_answers_.take();
  TaskPage page =
      co_await tasks_.list(call.caller.team, std::move(name), paging.page, paging.limit);
  json::array tasks;
  for (const auto& [task, latest] : page.tasks) {
    tasks.push_back(to_json(task, latest));
  }
  co_return data_response(json::object{{"tasks", std::move(tasks)},
                                       {"total", page.total},
                                       {"page", paging.page},
                                       {"limit", paging.limit}});
}

Async<Response> TaskRoutes::retrieve(Call call) {
  co_return data_response(to_metadata_json(co_await tasks_.find(call.caller.team, task_of(call))));
}

Async<Response> TaskRoutes::update(Call call) {
  json::object body = call.body();
  Fields in(body);
  TaskChange change{.name = in.string("name"), .description = read_description(in)};
  if (change.name) {
    check_name(in, *change.name);
  }
  in.done();
  co_return data_response(
      to_metadata_json(co_await tasks_.change(call.caller.team, task_of(call), std::move(change))));
}

Async<Response> TaskRoutes::remove(Call call) {
  co_await tasks_.remove(call.caller.team, task_of(call));
  co_return success("Task deleted");
}

Async<Response> TaskRoutes::versions(Call call) {
  TaskId id = task_of(call);
  json::array versions;
  for (const ListedVersion& version : co_await tasks_.versions(call.caller.team, id)) {
    json::object item{{"version", version_name(version.number)},
                      {"createdAt", to_rfc3339(version.created_at)},
                      {"updatedAt", to_rfc3339(version.updated_at)}};
    put(item, "description", version.description);
    versions.push_back(std::move(item));
  }
  co_return data_response(json::object{{"taskId", id.text()}, {"versions", std::move(versions)}});
}

Async<Response> TaskRoutes::one_version(Call call, VersionSelector which) {
  co_return data_response(to_json(co_await tasks_.version(call.caller.team, task_of(call), which)));
}

Async<Response> TaskRoutes::latest(Call call) {
  return one_version(std::move(call), {VersionSelector::Kind::latest});
}

Async<Response> TaskRoutes::draft(Call call) {
  return one_version(std::move(call), {VersionSelector::Kind::draft});
}

Async<Response> TaskRoutes::version(Call call) {
  VersionSelector which = selector_of(call);
  co_return co_await one_version(std::move(call), which);
}

Async<Response> TaskRoutes::write_draft(Call call) {
  NewVersion version = read_version_body(call, sealer_);
  co_return data_response(
      to_json(co_await tasks_.write_draft(call.caller.team, task_of(call), std::move(version))));
}

Async<Response> TaskRoutes::deploy(Call call) {
  NewVersion version = read_version_body(call, sealer_);
  co_return data_response(
      to_json(co_await tasks_.deploy(call.caller.team, task_of(call), std::move(version))));
}

Async<Response> TaskRoutes::publish(Call call) {
  VersionSelector which = selector_of(call);
  if (which.kind != VersionSelector::Kind::number) {
    throw Error(ErrorCode::invalid_argument,
                "only a number can be published; write a draft at .../draft, or deploy");
  }
  NewVersion version = read_version_body(call, sealer_);
  co_return data_response(to_json(
      co_await tasks_.publish(call.caller.team, task_of(call), which.number, std::move(version))));
}

Async<Response> TaskRoutes::remove_version(Call call) {
  co_await tasks_.remove_version(call.caller.team, task_of(call), selector_of(call));
  co_return success("Task version deleted");
}

}  // namespace capstan
