#include "app/operator_file.h"

#include "base/json.h"
#include "io/file.h"
#include "io/outcome.h"

namespace capstan {

OperatorFile::OperatorFile(std::filesystem::path path, const OperatorAccess& access)
    : path_(std::move(path)) {
  // Nobody ever reads half of it.
  std::filesystem::path draft = path_.string() + ".new";
  json::object text{{"url", access.url}, {"token", access.token}};
  write_private_file(draft, json::serialize(text) + "\n");
  std::filesystem::rename(draft, path_);
}

OperatorFile::~OperatorFile() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

std::optional<OperatorAccess> read_operator_file(const std::filesystem::path& path) {
  auto text = outcome_of_call([&] { return read_file(path); });
  std::error_code ignored;
  if (!text.ok() && !std::filesystem::exists(path, ignored)) {
    return std::nullopt;
  }
  json::value value = parse_json(std::move(text).take(), path.string());
  if (!value.is_object()) {
    throw Error(ErrorCode::invalid_argument, path.string() + " must be a JSON object");
  }
  Fields in(value.as_object());
  OperatorAccess access{.url = in.required_string("url"), .token = in.required_string("token")};
  in.done();
  return access;
}

}  // namespace capstan
