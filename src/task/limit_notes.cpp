#include "task/limit_notes.h"

#include <algorithm>
#include <initializer_list>

namespace capstan {
namespace {

constexpr std::uint64_t mib = std::uint64_t{1} << 20;
// V8 says it in a line or two before a page of addresses.
constexpr std::size_t last_lines = 60;

bool has_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return text.find(word) != std::string_view::npos;
  });
}

// V8's last words, if they are these.
bool ends_with_words(const std::vector<LogLine>& log, std::string_view words) {
  auto begin = log.size() > last_lines ? log.end() - last_lines : log.begin();
  return std::any_of(begin, log.end(), [&](const LogLine& line) {
    return line.stream == LogStream::err && line.text.find(words) != std::string::npos;
  });
}

std::string note(const std::string& what, const std::string& setting) {
  return "\nlimit: a run may have " + what + " (" + setting + ")";
}

}  // namespace

std::string limit_notes(const LimitsMet& met, const CageLimits& limits, std::string_view error,
                        const std::vector<LogLine>& log) {
  std::string notes;
  bool heap_is_full = ends_with_words(log, "JavaScript heap out of memory") ||
                      has_any(error, {"ERR_WORKER_OUT_OF_MEMORY"});
  bool memory_is_used_up =
      met.memory || ends_with_words(log, "process out of memory") ||
      has_any(error, {"Array buffer allocation failed", "could not allocate memory",
                      "Failed to allocate memory", "ENOMEM"});
  if (memory_is_used_up) {
    notes += note(std::to_string(limits.memory_bytes_max / mib) + " MiB of memory",
                  "runs.memory_mib_max");
  } else if (heap_is_full) {
    notes += note(std::to_string(heap_mib(limits)) + " MiB of JavaScript objects",
                  "half of runs.memory_mib_max");
  }
  if (met.processes || has_any(error, {"EAGAIN", "ERR_WORKER_INIT_FAILED"})) {
    notes +=
        note(std::to_string(limits.processes_max) + " processes and threads", "runs.processes_max");
  }
  if (met.home || has_any(error, {"ENOSPC", "EFBIG"})) {
    notes += note(std::to_string(limits.home_bytes_max / mib) + " MiB of temporary files",
                  "runs.disk_mib_max");
  }
  if (has_any(error, {"EMFILE"})) {
    notes +=
        note(std::to_string(limits.open_files_max) + " files open at once", "runs.open_files_max");
  }
  return notes;
}

std::string network_note(std::string_view error, bool has_network) {
  if (has_network && has_any(error, {"Proxy response (403)"})) {
    return "\nnetwork: the server does not let anybody go there (egress.allow); its log says why "
           "(egress_refused)";
  }
  if (has_network && has_any(error, {"Proxy response (502)", "Proxy response (504)"})) {
    return "\nnetwork: there is no such name, nobody answers, or the session's proxy fails (then "
           "the "
           "server's log says upstream_failed)";
  }
  return !has_network && has_any(error, {"EAI_AGAIN", "ENOTFOUND", "ENETUNREACH", "fetch failed"})
             ? "\nnetwork: a task's own code reaches its session and this API alone; pages in its "
               "session reach the network, and so does its code with task.network = \"egress\""
             : "";
}

std::uint64_t heap_mib(const CageLimits& limits) {
  constexpr std::uint64_t without_limit = 512;
  return limits.memory_bytes_max == 0 ? without_limit : limits.memory_bytes_max / mib / 2;
}

}  // namespace capstan
