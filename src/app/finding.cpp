#include "app/finding.h"

#include <cstdio>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include "io/outcome.h"
#include "io/work_folder.h"

namespace capstan {
namespace {

constexpr std::uint64_t mebi = std::uint64_t{1} << 20;
// With less, Chromium is told to do without /dev/shm, and is slower.
constexpr std::uint64_t shared_memory_enough = 512 * mebi;
// Some forty for each browser, a few for each connection and run.
constexpr rlim_t open_files_enough = 16384;
constexpr std::uint64_t disk_enough = 2048 * mebi;
constexpr std::uint64_t disk_min = 200 * mebi;

struct Space {
  std::uint64_t total = 0;
  std::uint64_t free = 0;
};

Space space_of(const std::filesystem::path& path) {
  struct statvfs status{};
  if (::statvfs(path.c_str(), &status) != 0) {
    return {};
  }
  return {std::uint64_t{status.f_blocks} * status.f_frsize,
          std::uint64_t{status.f_bavail} * status.f_frsize};
}

std::string to_size(std::uint64_t bytes) {
  return bytes < 10 * 1024 * mebi ? std::to_string(bytes / mebi) + " MiB"
                                  : std::to_string(bytes / mebi / 1024) + " GiB";
}

Finding check_space(std::string what, const std::filesystem::path& path, std::string found) {
  std::uint64_t free = space_of(path).free;
  Finding finding{.verdict = free < disk_min      ? Verdict::fail
                             : free < disk_enough ? Verdict::warn
                                                  : Verdict::ok,
                  .what = std::move(what),
                  .found = std::move(found) + ", " + to_size(free) + " free",
                  .mend = ""};
  if (finding.verdict != Verdict::ok) {
    finding.mend = "make room there; 2 GiB is a good beginning";
  }
  return finding;
}

// The folder, or the one above that it would be made in.
std::filesystem::path existing_part(std::filesystem::path path) {
  std::error_code ignored;
  while (!std::filesystem::exists(path, ignored) && path.has_relative_path()) {
    path = path.parent_path();
  }
  return path;
}

}  // namespace

std::string_view to_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok:
      return "ok";
    case Verdict::warn:
      return "warn";
    case Verdict::fail:
      return "fail";
  }
  return "fail";
}

json::object to_json(const Finding& finding) {
  json::object object{
      {"verdict", to_text(finding.verdict)}, {"what", finding.what}, {"found", finding.found}};
  if (!finding.mend.empty()) {
    object["mend"] = finding.mend;
  }
  return object;
}

Finding check_shared_memory() {
  std::uint64_t total = space_of("/dev/shm").total;
  if (total >= shared_memory_enough) {
    return {Verdict::ok, "shared memory", to_size(total) + " at /dev/shm", ""};
  }
  return {Verdict::warn, "shared memory", to_size(total) + " at /dev/shm; browsers do without it",
          "mount -o remount,size=1g /dev/shm; in a container, start it with --shm-size=1g"};
}

Finding check_open_files() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  std::string found =
      limit.rlim_max == RLIM_INFINITY ? "no limit" : "at most " + std::to_string(limit.rlim_max);
  if (limit.rlim_max >= open_files_enough) {
    return {Verdict::ok, "open files", found, ""};
  }
  return {Verdict::warn, "open files", found,
          "raise it to " + std::to_string(open_files_enough) +
              ": LimitNOFILE in a systemd unit, or ulimit -Hn as root"};
}

Finding check_data_folder(const std::filesystem::path& path) {
  std::filesystem::path folder = std::filesystem::absolute(path);
  std::filesystem::path existing = existing_part(folder);
  auto written = outcome_of_call([&] { TemporaryFolder probe(existing, ".capstan-doctor-"); });
  if (!written.ok()) {
    return {Verdict::fail, "data folder", written.error().message(),
            "let this user write there, or choose another with --data"};
  }
  std::string found = folder.string() + (existing == folder ? "" : " (not there yet)");
  return check_space("data folder", existing, std::move(found));
}

Finding check_temporary_folder(const std::filesystem::path& path) {
  Workers workers(1);
  auto tried = outcome_of_call([&] { WorkFolder probe(path, workers); });
  if (!tried.ok()) {
    return {
        Verdict::fail, "temporary folder", tried.error().message(),
        "set server.temporary_folder to a folder with a short path that this user may write to"};
  }
  return check_space("temporary folder", path, path.string());
}

}  // namespace capstan
