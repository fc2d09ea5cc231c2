#include "api/run_order.h"

#include <algorithm>

#include "api/task_routes.h"
#include "base/secret.h"
#include "base/text.h"

namespace capstan {
namespace {

// Inputs become environment variables, which share one bounded block with everything else.
constexpr std::size_t inputs_max = 100;
constexpr std::size_t input_name_bytes_max = 255;
constexpr std::size_t input_bytes_max = std::size_t{64} << 10;
constexpr std::size_t inputs_bytes_max = std::size_t{256} << 10;
constexpr std::size_t idempotency_key_bytes_max = 255;
constexpr std::string_view input_prefix = "ANCHOR_";

bool is_input_name(std::string_view name) {
  return name.starts_with(input_prefix) && name.size() > input_prefix.size() &&
         name.size() <= input_name_bytes_max && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_';
         });
}

std::map<std::string, std::string> read_inputs(Fields& in) {
  std::map<std::string, std::string> inputs;
  const json::object* object = in.object("inputs");
  if (object == nullptr) {
    return inputs;
  }
  if (object->size() > inputs_max) {
    in.refuse("inputs", "must not have more than " + std::to_string(inputs_max) + " keys");
    return inputs;
  }
  Fields fields = in.nested("inputs");
  std::size_t bytes = 0;
  for (const auto& [name, value] : *object) {
    if (!is_input_name(name)) {
      std::string shown(clip_utf8(std::string_view(name.data(), name.size()), 100));
      in.refuse("inputs", "key " + json::serialize(json::string(shown)) +
                              " must be ANCHOR_ and then letters, digits or underscores");
      continue;
    }
    std::string text = fields.string(name).value_or("");
    if (text.find('\0') != std::string::npos) {
      fields.refuse(name, "must not hold a NUL character");
    }
    if (text.size() > input_bytes_max) {
      fields.refuse(name, "must not be longer than 64 KiB");
    }
    bytes += name.size() + text.size();
    inputs.emplace(name, std::move(text));
  }
  if (bytes > inputs_bytes_max) {
    in.refuse("inputs", "must not be longer than 256 KiB together");
  }
  return inputs;
}

std::optional<std::string> read_idempotency_key(const Request& request) {
  auto key = request.header("idempotency-key");
  if (!key) {
    return std::nullopt;
  }
  bool is_visible =
      std::all_of(key->begin(), key->end(), [](char c) { return c > ' ' && c < 127; });
  if (key->empty() || key->size() > idempotency_key_bytes_max || !is_visible) {
    throw Error(ErrorCode::invalid_argument,
                "the header Idempotency-Key must have 1 to 255 visible ASCII characters");
  }
  return std::string(*key);
}

RunRequest read_common(const Call& call, Fields& in, const Sealer& sealer) {
  RunRequest request{.order = {.team = call.caller.team,
                               .task = std::string(),
                               .version = {},
                               .settings = {},
                               .idempotency_key = read_idempotency_key(call.request),
                               .request_hash = {}}};
  RunSettings& settings = request.order.settings;
  request.async = in.boolean("async").value_or(false);
  if (auto version = in.string("version")) {
    auto selector = parse_version_selector(*version);
    if (!selector) {
      in.refuse("version", "must be draft, latest or a number such as \"1\"");
    }
    request.order.version = selector.value_or(VersionSelector());
  }
  if (auto session = in.string("sessionId")) {
    settings.session = SessionId::parse(*session);
    if (!settings.session) {
      in.refuse("sessionId", "must be a UUID");
    }
  }
  if (in.object("overrideBrowserConfiguration") != nullptr) {
    settings.browser_configuration = read_session_config(in.nested("overrideBrowserConfiguration"),
                                                         sealing_for(call.caller.team, sealer));
  }
  settings.inputs = read_inputs(in);
  auto cleanup = in.boolean("cleanupSessions");
  settings.end_opened_sessions = cleanup.value_or(true);
  settings.end_given_session = cleanup.value_or(false);
  request.order.request_hash = sha256_hex(call.request.path + '\0' + call.request.body);
  return request;
}

}  // namespace

RunRequest read_run_by_name(const Call& call, const Sealer& sealer) {
  json::object body = call.body();
  Fields in(body);
  RunRequest request = read_common(call, in, sealer);
  in.done();
  const std::string& name = call.field("taskName");
  if (!is_task_name(name)) {
    throw Error(ErrorCode::invalid_argument,
                "a task's name has 1 to 255 letters, digits, underscores or hyphens");
  }
  request.order.task = name;
  return request;
}

RunRequest read_run_by_id(const Call& call, const Sealer& sealer) {
  json::object body = call.body();
  Fields in(body);
  RunRequest request = read_common(call, in, sealer);
  std::string id_text = in.required_string("taskId");
  auto id = TaskId::parse(id_text);
  if (!id && in.has("taskId")) {
    in.refuse("taskId", "must be a UUID");
  }
  in.done();
  request.order.task = std::move(*id);
  return request;
}

}  // namespace capstan
