#include "cage/walls.h"

#include <initializer_list>

#include "cage/launch.h"

namespace capstan {
namespace {

// What every program may read of the system: its libraries and programs, the authorities that sign
// web sites' certificates, and, for browsers, fonts.
constexpr const char* system_folders[] = {
    "/usr",       "/etc/ssl/certs",    "/etc/ssl/openssl.cnf",
    "/etc/fonts", "/etc/alternatives", "/var/cache/fontconfig"};

class Words {
 public:
  void add(std::initializer_list<std::string> words) { list_.insert(list_.end(), words); }
  void add(const std::string& option, std::uint64_t value) { add({option, std::to_string(value)}); }
  std::vector<std::string> take() { return std::move(list_); }

 private:
  std::vector<std::string> list_ = {"capstan-launcher"};
};

void add_limits(Words& words, const Plan& plan, const ChildOrder& order) {
  const CageLimits& limits = order.limits;
  words.add("--open-files", limits.open_files_max);
  words.add("--file-bytes", limits.file_bytes_max);
  words.add("--locked-bytes", limits.locked_bytes_max);
  words.add("--niceness", limits.niceness);
  if (plan.bounds_processes) {
    words.add("--processes", limits.processes_max);
  }
  if (plan.bounds_memory && limits.memory_bytes_max > 0) {
    words.add("--data-bytes", limits.memory_bytes_max + limits.reserved_bytes);
  }
}

void add_files(Words& words, const Plan& plan, const ChildOrder& order) {
  for (const char* folder : system_folders) {
    words.add({"--readable", folder});
  }
  for (const auto& path : order.readable) {
    words.add({"--readable", path.string()});
  }
  for (const auto& path : order.writable) {
    words.add({"--writable", path.string()});
  }
  if (plan.level == IsolationLevel::standard) {
    words.add({"--writable", plan.interior.home.string()});
    return;
  }
  words.add(
      {"--scratch", plan.interior.home.string(), std::to_string(order.limits.home_bytes_max)});
  if (order.limits.shared_memory_bytes_max > 0) {
    words.add({"--scratch", "/dev/shm", std::to_string(order.limits.shared_memory_bytes_max)});
  }
}

void add_doors(Words& words, const Plan& plan) {
  for (std::uint16_t port : plan.door_ports) {
    words.add(plan.level == IsolationLevel::strict ? "--door" : "--connect-to", port);
  }
  if (plan.level == IsolationLevel::standard && plan.door_ports.empty()) {
    words.add("--connect-to", 1);  // nobody is there, and that is the point: no TCP at all
  }
}

void add_service(Words& words, const ChildOrder& order) {
  if (!order.service) {
    return;
  }
  words.add({"--service", order.service->socket.string()});
  words.add({"--service-word", order.service->program.string()});
  for (const std::string& argument : order.service->arguments) {
    words.add({"--service-word", argument});
  }
}

}  // namespace

std::vector<std::string> launcher_words(const Plan& plan, const ChildOrder& order,
                                        const Command& command) {
  Words words;
  words.add("--status", launcher_status_number);
  words.add({"--work-in", plan.interior.home.string()});
  add_limits(words, plan, order);
  if (plan.user) {
    words.add("--user", *plan.user);
  }
  if (plan.level > IsolationLevel::none) {
    words.add({"--landlock"});
    words.add("--filter", launcher_filter_number);
    add_files(words, plan, order);
    add_doors(words, plan);
    if (order.kind == CageKind::browser) {
      words.add({"--writes-proc"});  // its sandbox says there who is who
    }
  }
  if (plan.level == IsolationLevel::strict) {
    words.add({"--namespaces"});
    add_service(words, order);
  }
  words.add({"--", command.program.string()});
  std::vector<std::string> list = words.take();
  list.insert(list.end(), command.arguments.begin(), command.arguments.end());
  return list;
}

}  // namespace capstan
