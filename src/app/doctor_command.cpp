#include "app/doctor_command.h"

#include <algorithm>
#include <fcntl.h>
#include <unistd.h>

#include "app/checkup.h"
#include "app/command_loop.h"
#include "app/table.h"
#include "app/task_calls.h"

namespace capstan {
namespace {

// While it lives, the rooms' log goes nowhere: what they find out is in the findings.
class QuietLog {
 public:
  QuietLog() : kept_(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)) {
    Fd nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    ::dup2(nowhere.get(), STDERR_FILENO);
  }
  ~QuietLog() { ::dup2(kept_.get(), STDERR_FILENO); }
  QuietLog(const QuietLog&) = delete;
  QuietLog& operator=(const QuietLog&) = delete;

 private:
  Fd kept_;
};

std::vector<Finding> examine(const Config& config) {
  std::vector<Finding> findings = {check_data_folder(config.data),
                                   check_temporary_folder(config.server.temporary_folder),
                                   check_shared_memory(), check_open_files()};
  QuietLog quiet;
  asio::io_context loop(1);
  auto checkup =
      outcome_of_call([&] { return std::make_unique<Checkup>(loop.get_executor(), config); });
  if (!checkup.ok()) {
    // The finding on the temporary folder says why.
    findings.push_back({Verdict::fail, "browsers and runner", "not tried: no temporary folder",
                        "mend that first"});
    return findings;
  }
  std::vector<Finding> more = run_on(loop, checkup.value()->run());
  findings.insert(findings.end(), more.begin(), more.end());
  return findings;
}

std::string to_lines(const std::vector<Finding>& findings) {
  std::vector<TableRow> rows;
  for (const Finding& finding : findings) {
    rows.push_back({std::string(to_text(finding.verdict)), finding.what + ":", finding.found});
    if (!finding.mend.empty()) {
      rows.push_back({"", "", "mend: " + finding.mend});
    }
  }
  return to_table(rows);
}

json::array to_json(const std::vector<Finding>& findings) {
  json::array items;
  for (const Finding& finding : findings) {
    items.push_back(to_json(finding));
  }
  return items;
}

}  // namespace

DoctorCommand::DoctorCommand(CLI::App& command) {
  add_config_flags(command, flags_);
  command.add_flag("--json", json_, "Print JSON");
}

ExitCode DoctorCommand::run() {
  Config config = read_config(flags_, environment_of_process());
  std::vector<Finding> findings = examine(config);
  bool is_well = std::none_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.verdict == Verdict::fail;
  });
  if (json_) {
    print(json::object{{"ok", is_well}, {"findings", to_json(findings)}});
  } else {
    print(to_lines(findings));
  }
  return is_well ? ExitCode::ok : ExitCode::failed;
}

}  // namespace capstan
