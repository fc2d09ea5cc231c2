#include "task/run.h"

#include <array>

namespace capstan {
namespace {

constexpr std::array statuses = {RunStatus::queued,  RunStatus::running, RunStatus::success,
                                 RunStatus::failure, RunStatus::timeout, RunStatus::cancelled};

}  // namespace

std::string_view to_text(RunStatus status) {
  switch (status) {
    case RunStatus::queued:
      return "queued";
    case RunStatus::running:
      return "running";
    case RunStatus::success:
      return "success";
    case RunStatus::failure:
      return "failure";
    case RunStatus::timeout:
      return "timeout";
    case RunStatus::cancelled:
      return "cancelled";
  }
  return "failure";
}

std::optional<RunStatus> parse_run_status(std::string_view text) {
  for (RunStatus status : statuses) {
    if (text == to_text(status)) {
      return status;
    }
  }
  return std::nullopt;
}

json::object to_json(const RunSettings& settings) {
  json::object inputs;
  for (const auto& [name, value] : settings.inputs) {
    inputs[name] = value;
  }
  json::object object{
      {"inputs", std::move(inputs)},
      {"browser_configuration", to_stored_json(settings.browser_configuration)},
      {"end_opened_sessions", settings.end_opened_sessions},
      {"end_given_session", settings.end_given_session},
  };
  if (settings.session) {
    object["session"] = settings.session->text();
  }
  return object;
}

RunSettings run_settings_from(const json::object& object) {
  RunSettings settings;
  for (const auto& input : object.at("inputs").as_object()) {
    settings.inputs.emplace(input.key(), input.value().as_string());
  }
  settings.browser_configuration = from_stored_json(object.at("browser_configuration").as_object());
  settings.end_opened_sessions = object.at("end_opened_sessions").as_bool();
  settings.end_given_session = object.at("end_given_session").as_bool();
  if (const json::value* session = object.if_contains("session")) {
    settings.session = SessionId::trusted(std::string(session->as_string()));
  }
  return settings;
}

}  // namespace capstan
