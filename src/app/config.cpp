#include "app/config.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <sstream>
#include <sys/sysinfo.h>
#include <thread>
#include <variant>

#include <boost/asio/ip/address.hpp>

#include "app/exits_config.h"
#include "app/setting_problem.h"
#include "app/units.h"
#include "base/error.h"
#include "base/text.h"
#include "cage/level.h"
#include "egress/address_policy.h"
#include "io/file.h"
#include "io/outcome.h"

namespace capstan {
namespace {

constexpr std::uintmax_t file_bytes_max = std::uintmax_t{1} << 20;
// A browser with its screen and its recorder, and the task's Node process, together.
constexpr std::uint64_t session_bytes = std::uint64_t{400} << 20;

struct Choice {
  std::string* target;
  std::vector<std::string> values;
};

struct Count {
  std::size_t* target;
  std::size_t min;
  std::size_t max = std::numeric_limits<std::int32_t>::max();
};

struct Address {
  std::string* target;
};

using Target =
    std::variant<Count, Address, bool*, std::string*, Duration*, std::vector<std::string>*, Choice>;

struct Setting {
  std::string name;
  Target target;
  // Throws what is wrong with a list's entries.
  void (*check)(const std::vector<std::string>&) = nullptr;
};

std::vector<Setting> settings_of(Config& config) {
  return {
      {"server.listen", Address{&config.server.listen}},
      {"server.hosts", &config.server.hosts},
      {"server.temporary_folder", &config.server.temporary_folder},
      {"server.insecure_listen", &config.server.insecure_listen},
      {"runs.max_running", Count{&config.runs.max_running, 1}},
      {"runs.max_queued", Count{&config.runs.max_queued, 0}},
      {"runs.max_queued_per_team", Count{&config.runs.max_queued_per_team, 0}},
      {"runs.timeout", &config.runs.timeout},
      {"runs.warm", Count{&config.runs.warm, 0}},
      {"runs.log_bytes_max", Count{&config.runs.log_bytes_max, 0}},
      {"runs.memory_mib_max", Count{&config.runs.memory_mib_max, 256}},
      {"runs.disk_mib_max", Count{&config.runs.disk_mib_max, 1}},
      {"runs.processes_max", Count{&config.runs.processes_max, 32}},
      {"runs.open_files_max", Count{&config.runs.open_files_max, 64}},
      {"runs.cpu_percent_max", Count{&config.runs.cpu_percent_max, 0}},
      {"runs.shutdown_grace", &config.runs.shutdown_grace},
      {"sessions.max", Count{&config.sessions.max, 1}},
      {"sessions.max_per_team", Count{&config.sessions.max_per_team, 1}},
      {"sessions.memory_mib_max", Count{&config.sessions.memory_mib_max, 256}},
      {"sessions.disk_mib_max", Count{&config.sessions.disk_mib_max, 64}},
      {"sessions.processes_max", Count{&config.sessions.processes_max, 128}},
      {"sessions.open_files_max", Count{&config.sessions.open_files_max, 512}},
      {"sessions.cpu_percent_max", Count{&config.sessions.cpu_percent_max, 0}},
      {"recordings.days", Count{&config.recordings.days, 1}},
      {"recordings.gib_max", Count{&config.recordings.gib_max, 1}},
      {"recordings.mib_max", Count{&config.recordings.mib_max, 1}},
      {"recordings.minutes_max", Count{&config.recordings.minutes_max, 1}},
      {"recordings.free_mib_min", Count{&config.recordings.free_mib_min, 0}},
      {"recordings.frames_per_second", Count{&config.recordings.frames_per_second, 1, 25}},
      {"recordings.ffmpeg", &config.recordings.ffmpeg},
      {"browser.default", Choice{&config.browser.kind, {"headful", "headless"}}},
      {"browser.chromium", &config.browser.chromium},
      {"browser.headless_shell", &config.browser.headless_shell},
      {"browser.xvfb", &config.browser.xvfb},
      {"browser.warm_headful", Count{&config.browser.warm_headful, 0}},
      {"browser.warm_headless", Count{&config.browser.warm_headless, 0}},
      {"task.network", Choice{&config.task.network, {"none", "egress"}}},
      {"task.code_bytes_max", Count{&config.task.code_bytes_max, 1}},
      {"egress.allow", &config.egress.allow, [](const auto& list) { AddressPolicy policy(list); }},
      {"isolation.minimum", Choice{&config.isolation.minimum, {"none", "standard", "strict"}}},
      {"isolation.maximum", Choice{&config.isolation.maximum, {"none", "standard", "strict"}}},
      {"runner.folder", &config.runner.folder},
  };
}

// A value as it comes, from a file with its type or from the environment as text.
using Given = std::variant<std::int64_t, bool, std::string, std::vector<std::string>>;

void apply_choice(const Choice& choice, const std::string* text, const std::string& place,
                  const std::string& name) {
  std::string allowed;
  for (const std::string& value : choice.values) {
    if (text != nullptr && *text == value) {
      *choice.target = value;
      return;
    }
    allowed += (allowed.empty() ? "\"" : ", \"") + value + "\"";
  }
  refuse(place, name, "must be one of " + allowed);
}

void check_list(const Setting& setting, const std::vector<std::string>& list,
                const std::string& place) {
  auto checked = outcome_of_call([&] {
    if (setting.check != nullptr) {
      setting.check(list);
    }
  });
  if (!checked.ok()) {
    refuse(place, setting.name, "has a bad entry: " + checked.error().message());
  }
}

void apply(const Setting& setting, const Given& given, const std::string& place) {
  const auto* text = std::get_if<std::string>(&given);
  if (const auto* count = std::get_if<Count>(&setting.target)) {
    const auto* number = std::get_if<std::int64_t>(&given);
    if (number == nullptr || *number < static_cast<std::int64_t>(count->min) ||
        *number > static_cast<std::int64_t>(count->max)) {
      refuse(place, setting.name,
             "must be a whole number from " + std::to_string(count->min) + " to " +
                 std::to_string(count->max));
    }
    *count->target = static_cast<std::size_t>(*number);
  } else if (const auto* address = std::get_if<Address>(&setting.target)) {
    if (text == nullptr || !parse_listen(*text)) {
      refuse(place, setting.name,
             "must be HOST:PORT with a port from 0 to 65535, such as \"127.0.0.1:8700\"");
    }
    *address->target = *text;
  } else if (const auto* flag = std::get_if<bool*>(&setting.target)) {
    if (!std::holds_alternative<bool>(given)) {
      refuse(place, setting.name, "must be true or false");
    }
    **flag = std::get<bool>(given);
  } else if (const auto* duration = std::get_if<Duration*>(&setting.target)) {
    auto parsed = text != nullptr ? parse_duration(*text) : std::nullopt;
    if (!parsed) {
      refuse(place, setting.name, "must be a time such as \"500ms\", \"5s\", \"10m\" or \"3h\"");
    }
    **duration = *parsed;
  } else if (const auto* list = std::get_if<std::vector<std::string>*>(&setting.target)) {
    if (!std::holds_alternative<std::vector<std::string>>(given)) {
      refuse(place, setting.name, "must be a list of texts");
    }
    **list = std::get<std::vector<std::string>>(given);
    check_list(setting, **list, place);
  } else if (const auto* choice = std::get_if<Choice>(&setting.target)) {
    apply_choice(*choice, text, place, setting.name);
  } else {
    if (text == nullptr || text->empty()) {
      refuse(place, setting.name, "must be a text");
    }
    *std::get<std::string*>(setting.target) = *text;
  }
}

std::optional<Given> to_given(const toml::node& node) {
  if (auto number = node.value_exact<std::int64_t>()) {
    return *number;
  }
  if (auto flag = node.value_exact<bool>()) {
    return *flag;
  }
  if (auto text = node.value_exact<std::string>()) {
    return *text;
  }
  const toml::array* array = node.as_array();
  if (array == nullptr) {
    return std::nullopt;
  }
  std::vector<std::string> texts;
  for (const toml::node& item : *array) {
    auto text = item.value_exact<std::string>();
    if (!text) {
      return std::nullopt;
    }
    texts.push_back(*text);
  }
  return texts;
}

const Setting* find_setting(const std::vector<Setting>& settings, const std::string& name) {
  auto found = std::find_if(settings.begin(), settings.end(),
                            [&](const Setting& setting) { return setting.name == name; });
  return found != settings.end() ? &*found : nullptr;
}

toml::table parse_file(const std::string& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    throw Error(ErrorCode::invalid_argument, file + " is not a file");
  }
  if (std::filesystem::file_size(file, error) > file_bytes_max) {
    throw Error(ErrorCode::invalid_argument, file + " is longer than 1 MiB");
  }
  std::string text = read_file(file);
  try {
    return toml::parse(text, file);
  } catch (const toml::parse_error& problem) {
    throw Error(ErrorCode::invalid_argument,
                place_of(file, problem.source()) + ": " + std::string(problem.description()));
  }
}

void apply_file(const std::string& file, const std::vector<Setting>& settings, Config& config) {
  toml::table document = parse_file(file);
  for (const auto& [section, content] : document) {
    std::string section_name(section.str());
    const toml::table* table = content.as_table();
    if (table == nullptr) {
      refuse(place_of(file, content.source()), section_name,
             "is no section; settings stand in sections such as [runs]");
    }
    for (const auto& [key, node] : *table) {
      std::string name = section_name + "." + std::string(key.str());
      std::string place = place_of(file, node.source());
      if (name == exits_setting) {
        config.egress.exits = read_exits(file, node);
        continue;
      }
      const Setting* setting = find_setting(settings, name);
      if (setting == nullptr) {
        refuse(place, name, "is not a setting");
      }
      auto given = to_given(node);
      if (!given) {
        refuse(place, name, "has a value of the wrong type");
      }
      apply(*setting, *given, place);
    }
  }
}

Given parse_variable(const Target& target, const std::string& text) {
  if (std::holds_alternative<Count>(target)) {
    std::int64_t number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size()) {
      return number;
    }
  }
  if (std::holds_alternative<bool*>(target) && (text == "true" || text == "false")) {
    return text == "true";
  }
  if (std::holds_alternative<std::vector<std::string>*>(target)) {
    std::vector<std::string> parts;
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, ',');) {
      parts.push_back(std::move(part));
    }
    return parts;
  }
  return text;
}

std::string variable_of(const std::string& setting_name) {
  std::string variable = "CAPSTAN_" + setting_name;
  std::transform(variable.begin(), variable.end(), variable.begin(), [](char c) {
    return c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  });
  return variable;
}

// What the variables of a setting's section begin with: "CAPSTAN_RUNS_".
std::string section_of(const std::string& setting_name) {
  return variable_of(setting_name.substr(0, setting_name.find('.') + 1));
}

// A variable that is no setting's, though it begins like one. Others that begin with CAPSTAN_ are
// for our own client, or for somebody else.
void refuse_unknown(const std::string& variable, const std::vector<Setting>& settings) {
  std::string known;
  for (const Setting& setting : settings) {
    if (variable_of(setting.name) == variable) {
      return;
    }
    if (variable.starts_with(section_of(setting.name))) {
      known += (known.empty() ? "" : ", ") + variable_of(setting.name);
    }
  }
  if (!known.empty()) {
    refuse(variable, "this", "is not a setting; there are " + known);
  }
}

void apply_environment(const Environment& environment, const std::vector<Setting>& settings) {
  for (const auto& [variable, text] : environment) {
    refuse_unknown(variable, settings);
  }
  for (const Setting& setting : settings) {
    std::string variable = variable_of(setting.name);
    if (const std::string* text = find_variable(environment, variable)) {
      apply(setting, parse_variable(setting.target, *text), variable);
    }
  }
}

std::size_t sessions_for_memory() {
  struct sysinfo info{};
  ::sysinfo(&info);
  std::uint64_t bytes = std::uint64_t{info.totalram} * info.mem_unit;
  return std::clamp<std::size_t>(bytes / 2 / session_bytes, 4, 64);
}

const Setting& listen_setting(const std::vector<Setting>& settings) {
  return *find_setting(settings, "server.listen");
}

}  // namespace

Config::Config() {
  runs.max_running = 4 * std::max<std::size_t>(1, std::thread::hardware_concurrency());
  sessions.max = sessions_for_memory();
}

Config read_config(const ConfigFlags& flags, const Environment& environment) {
  Config config;
  std::vector<Setting> settings = settings_of(config);
  const std::string* file = find_variable(environment, "CAPSTAN_CONFIG");
  if (flags.config_file || file != nullptr) {
    apply_file(flags.config_file ? *flags.config_file : *file, settings, config);
  }
  apply_environment(environment, settings);
  if (const std::string* listen = find_variable(environment, "CAPSTAN_LISTEN")) {
    apply(listen_setting(settings), *listen, "CAPSTAN_LISTEN");
  }
  if (flags.listen) {
    apply(listen_setting(settings), *flags.listen, "--listen");
  }
  config.server.insecure_listen = config.server.insecure_listen || flags.insecure_listen;
  const std::string* data = find_variable(environment, "CAPSTAN_DATA");
  if (flags.data || data != nullptr) {
    config.data = flags.data ? *flags.data : *data;
  }
  return config;
}

std::filesystem::path find_runner_folder(const Config& config) {
  if (!config.runner.folder.empty()) {
    return std::filesystem::weakly_canonical(std::filesystem::absolute(config.runner.folder));
  }
  std::error_code error;
  std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  std::filesystem::path folder = program.parent_path();
  std::filesystem::path installed = folder.parent_path() / "share" / "capstan" / "runner";
  return std::filesystem::is_directory(installed, error)
             ? installed
             : folder.parent_path().parent_path() / "runner";
}

std::optional<ListenAddress> parse_listen(const std::string& text) {
  std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) {
    return std::nullopt;
  }
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  std::uint32_t port = 0;
  const char* text_end = text.data() + text.size();
  auto [end, error] = std::from_chars(text.data() + colon + 1, text_end, port);
  if (host.empty() || error != std::errc() || end != text_end || port > 65535) {
    return std::nullopt;
  }
  return ListenAddress{host, static_cast<std::uint16_t>(port)};
}

bool ListenAddress::is_loopback() const {
  boost::system::error_code error;
  auto address = boost::asio::ip::make_address(host, error);
  return host == "localhost" || (!error && address.is_loopback());
}

ListenAddress listen_address_of(const Config& config) {
  ListenAddress address = *parse_listen(config.server.listen);
  if (!address.is_loopback() && !config.server.insecure_listen) {
    throw Error(ErrorCode::invalid_argument,
                "others could reach " + config.server.listen +
                    ", and keys would travel in the clear; put a proxy with TLS in front of "
                    "127.0.0.1, or allow it with --insecure-listen");
  }
  return address;
}

}  // namespace capstan
