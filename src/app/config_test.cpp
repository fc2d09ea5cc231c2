#include "app/config.h"

#include <array>

#include <gtest/gtest.h>

#include "io/file.h"
#include "io/outcome.h"

namespace capstan {

using namespace std::chrono_literals;

class ConfigTest : public testing::Test {
 public:
  Config read() { return read_config(flags_, variables_); }

  void write_file(std::string_view text) {
    write_private_file(path_, text);
    flags_.config_file = path_.string();
  }

  // What is wrong; empty if nothing is.
  std::string problem() {
    auto outcome = outcome_of_call([this] { return read(); });
    if (outcome.ok()) {
      return {};
    }
    EXPECT_EQ(outcome.error().code(), ErrorCode::invalid_argument) << outcome.error().message();
    return outcome.error().message();
  }

  std::string problem_in_file(std::string_view text) {
    write_file(text);
    return problem();
  }

  std::string problem_in_variable(const std::string& name, const std::string& value) {
    variables_ = {{name, value}};
    return problem();
  }

 protected:
  TemporaryFolder folder_{std::filesystem::temp_directory_path(), "config-test-"};
  std::filesystem::path path_ = folder_.path() / "capstan.toml";
  ConfigFlags flags_;
  Environment variables_;
};

TEST_F(ConfigTest, has_a_default_for_everything) {
  Config config = read();
  EXPECT_EQ(config.data, "capstan-data");
  EXPECT_EQ(config.server.listen, "127.0.0.1:8700");
  EXPECT_FALSE(config.server.insecure_listen);
  EXPECT_GE(config.runs.max_running, 4U);
  EXPECT_GE(config.sessions.max, 4U);
  EXPECT_LE(config.sessions.max, 64U);
  EXPECT_EQ(config.runs.timeout, 3h);
  EXPECT_EQ(config.recordings.days, 30U);
  EXPECT_EQ(config.recordings.gib_max, 10U);
}

TEST_F(ConfigTest, reads_every_setting_of_a_file) {
  write_file(R"(
[server]
listen = "[::1]:9000"
hosts = ["a.example", "b.example"]
temporary_folder = "/var/tmp"
insecure_listen = true
[runs]
max_running = 11
max_queued = 12
max_queued_per_team = 13
timeout = "14m"
warm = 15
log_bytes_max = 16
shutdown_grace = "1700ms"
[sessions]
max = 18
max_per_team = 19
[recordings]
days = 23
gib_max = 24
[browser]
default = "headless"
chromium = "/opt/chromium"
headless_shell = "/opt/shell"
warm_headful = 20
warm_headless = 21
[task]
network = "egress"
code_bytes_max = 22
[egress]
allow = ["c.example"]
[isolation]
minimum = "standard"
[runner]
folder = "/opt/runner"
)");
  Config config = read();
  EXPECT_EQ(config.server.listen, "[::1]:9000");
  EXPECT_EQ(config.server.hosts, (std::vector<std::string>{"a.example", "b.example"}));
  EXPECT_EQ(config.server.temporary_folder, "/var/tmp");
  EXPECT_TRUE(config.server.insecure_listen);
  EXPECT_EQ(config.runs.max_running, 11U);
  EXPECT_EQ(config.runs.max_queued, 12U);
  EXPECT_EQ(config.runs.max_queued_per_team, 13U);
  EXPECT_EQ(config.runs.timeout, 14min);
  EXPECT_EQ(config.runs.warm, 15U);
  EXPECT_EQ(config.runs.log_bytes_max, 16U);
  EXPECT_EQ(config.runs.shutdown_grace, 1700ms);
  EXPECT_EQ(config.sessions.max, 18U);
  EXPECT_EQ(config.sessions.max_per_team, 19U);
  EXPECT_EQ(config.recordings.days, 23U);
  EXPECT_EQ(config.recordings.gib_max, 24U);
  EXPECT_EQ(config.browser.kind, "headless");
  EXPECT_EQ(config.browser.chromium, "/opt/chromium");
  EXPECT_EQ(config.browser.headless_shell, "/opt/shell");
  EXPECT_EQ(config.browser.warm_headful, 20U);
  EXPECT_EQ(config.browser.warm_headless, 21U);
  EXPECT_EQ(config.task.network, "egress");
  EXPECT_EQ(config.task.code_bytes_max, 22U);
  EXPECT_EQ(config.egress.allow, (std::vector<std::string>{"c.example"}));
  EXPECT_EQ(config.isolation.minimum, "standard");
  EXPECT_EQ(config.runner.folder, "/opt/runner");
}

TEST_F(ConfigTest, reads_every_kind_of_setting_from_the_environment) {
  variables_ = {
      {"CAPSTAN_DATA", "/var/lib/capstan"},
      {"CAPSTAN_SERVER_HOSTS", "a.example,b.example"},
      {"CAPSTAN_SERVER_INSECURE_LISTEN", "true"},
      {"CAPSTAN_RUNS_MAX_RUNNING", "7"},
      {"CAPSTAN_RUNS_SHUTDOWN_GRACE", "90s"},
      {"CAPSTAN_BROWSER_DEFAULT", "headless"},
      {"CAPSTAN_BROWSER_CHROMIUM", "/opt/chromium"},
  };
  Config config = read();
  EXPECT_EQ(config.data, "/var/lib/capstan");
  EXPECT_EQ(config.server.hosts, (std::vector<std::string>{"a.example", "b.example"}));
  EXPECT_TRUE(config.server.insecure_listen);
  EXPECT_EQ(config.runs.max_running, 7U);
  EXPECT_EQ(config.runs.shutdown_grace, 90s);
  EXPECT_EQ(config.browser.kind, "headless");
  EXPECT_EQ(config.browser.chromium, "/opt/chromium");
}

TEST_F(ConfigTest, a_flag_beats_the_environment_which_beats_the_file) {
  write_file("[server]\nlisten = \"127.0.0.1:1\"\n[runs]\nwarm = 1\nmax_queued = 1\n");
  EXPECT_EQ(read().server.listen, "127.0.0.1:1");
  variables_ = {{"CAPSTAN_LISTEN", "127.0.0.1:2"},
                {"CAPSTAN_DATA", "/of/environment"},
                {"CAPSTAN_RUNS_WARM", "2"}};
  EXPECT_EQ(read().server.listen, "127.0.0.1:2");
  EXPECT_EQ(read().runs.warm, 2U);
  EXPECT_EQ(read().runs.max_queued, 1U) << "nobody else says anything about it";
  flags_.listen = "127.0.0.1:3";
  flags_.data = "/of/flag";
  flags_.insecure_listen = true;
  EXPECT_EQ(read().server.listen, "127.0.0.1:3");
  EXPECT_EQ(read().data, "/of/flag");
  EXPECT_TRUE(read().server.insecure_listen);
}

TEST_F(ConfigTest, the_file_too_may_be_named_by_flag_or_environment) {
  write_file("[runs]\nwarm = 1\n");
  variables_ = {{"CAPSTAN_CONFIG", (folder_.path() / "missing").string()}};
  EXPECT_EQ(read().runs.warm, 1U) << "the flag's";
  flags_.config_file.reset();
  EXPECT_EQ(problem(), (folder_.path() / "missing").string() + " is not a file");
  variables_ = {{"CAPSTAN_CONFIG", path_.string()}};
  EXPECT_EQ(read().runs.warm, 1U);
}

TEST_F(ConfigTest, names_file_and_line_of_what_is_unknown) {
  std::string at = path_.string() + ", line ";
  EXPECT_EQ(problem_in_file("[runs]\nwarm = 1\n\nmax_runing = 8\n"),
            at + "4: runs.max_runing is not a setting");
  EXPECT_EQ(problem_in_file("[run]\nwarm = 1\n"), at + "2: run.warm is not a setting");
  EXPECT_EQ(problem_in_file("\nwarm = 1\n"),
            at + "2: warm is no section; settings stand in sections such as [runs]");
  EXPECT_EQ(problem_in_file("[runs.warm]\nheadful = 1\n"),
            at + "1: runs.warm has a value of the wrong type");
}

TEST_F(ConfigTest, names_file_and_line_of_broken_syntax) {
  for (const char* text : {"[runs]\nwarm = \n", "[runs]\nwarm 1\n", "[runs]\nwarm = 1\nwarm = 2\n",
                           "[runs\n", "[server]\nlisten = \"a\n", "[runs]\n\xff = 1\n"}) {
    EXPECT_TRUE(problem_in_file(text).starts_with(path_.string() + ", line ")) << text;
  }
}

TEST_F(ConfigTest, refuses_files_that_are_none) {
  EXPECT_EQ(problem_in_file(std::string((1U << 20U) + 1, '\n')),
            path_.string() + " is longer than 1 MiB");
  flags_.config_file = folder_.path().string();
  EXPECT_EQ(problem(), folder_.path().string() + " is not a file");
}

TEST_F(ConfigTest, names_what_is_bad_in_a_file) {
  struct Bad {
    const char* section;
    const char* line;
    const char* problem;
  };
  constexpr Bad bad[] = {
      // whole numbers
      {"runs", "max_running = 0", "runs.max_running must be a whole number from 1 to 2147483647"},
      {"runs", "warm = -1", "runs.warm must be a whole number from 0 to 2147483647"},
      {"runs", "warm = 2147483648", "runs.warm must be a whole number from 0 to 2147483647"},
      {"runs", "warm = \"1\"", "runs.warm must be a whole number from 0 to 2147483647"},
      {"runs", "warm = true", "runs.warm must be a whole number from 0 to 2147483647"},
      {"runs", "warm = 1.0", "runs.warm has a value of the wrong type"},
      // switches
      {"server", "insecure_listen = 1", "server.insecure_listen must be true or false"},
      {"server", "insecure_listen = \"true\"", "server.insecure_listen must be true or false"},
      // times
      {"runs", "timeout = 5",
       "runs.timeout must be a time such as \"500ms\", \"5s\", \"10m\" or \"3h\""},
      {"runs", "timeout = \"0s\"",
       "runs.timeout must be a time such as \"500ms\", \"5s\", \"10m\" or \"3h\""},
      // lists
      {"server", "hosts = \"a.example\"", "server.hosts must be a list of texts"},
      {"server", "hosts = [1]", "server.hosts has a value of the wrong type"},
      // choices
      {"browser", "default = \"firefox\"",
       "browser.default must be one of \"headful\", \"headless\""},
      {"browser", "default = 1", "browser.default must be one of \"headful\", \"headless\""},
      {"task", "network = \"all\"", "task.network must be one of \"none\", \"egress\""},
      {"isolation", "minimum = \"most\"",
       "isolation.minimum must be one of \"none\", \"standard\", \"strict\""},
      // texts
      {"browser", "chromium = \"\"", "browser.chromium must be a text"},
      {"browser", "chromium = 1", "browser.chromium must be a text"},
      {"browser", "chromium = 1979-05-27", "browser.chromium has a value of the wrong type"},
  };
  for (const Bad& each : bad) {
    std::string text = "[" + std::string(each.section) + "]\n" + each.line + "\n";
    EXPECT_EQ(problem_in_file(text), path_.string() + ", line 2: " + each.problem) << each.line;
  }
}

TEST_F(ConfigTest, names_the_variable_that_is_bad) {
  constexpr std::array<const char*, 3> bad[] = {
      {"RUNS_WARM", "two", "runs.warm must be a whole number from 0 to 2147483647"},
      {"RUNS_WARM", "", "runs.warm must be a whole number from 0 to 2147483647"},
      {"RUNS_WARM", "2 ", "runs.warm must be a whole number from 0 to 2147483647"},
      {"RUNS_WARM", "-1", "runs.warm must be a whole number from 0 to 2147483647"},
      {"RUNS_WARM", "99999999999999999999",
       "runs.warm must be a whole number from 0 to 2147483647"},
      {"SERVER_INSECURE_LISTEN", "yes", "server.insecure_listen must be true or false"},
      {"SERVER_INSECURE_LISTEN", "1", "server.insecure_listen must be true or false"},
      {"RUNS_TIMEOUT", "forever",
       "runs.timeout must be a time such as \"500ms\", \"5s\", \"10m\" or \"3h\""},
      {"BROWSER_DEFAULT", "Headless", "browser.default must be one of \"headful\", \"headless\""},
      {"BROWSER_CHROMIUM", "", "browser.chromium must be a text"},
  };
  for (const auto& [name, value, expected] : bad) {
    std::string variable = "CAPSTAN_" + std::string(name);
    EXPECT_EQ(problem_in_variable(variable, value), variable + ": " + expected) << value;
  }
}

TEST_F(ConfigTest, names_the_variable_that_is_unknown_and_those_that_are_known) {
  EXPECT_EQ(problem_in_variable("CAPSTAN_ISOLATION_MIN", "none"),
            "CAPSTAN_ISOLATION_MIN: this is not a setting; there are CAPSTAN_ISOLATION_MINIMUM, "
            "CAPSTAN_ISOLATION_MAXIMUM");
  for (const char* variable : {"CAPSTAN_RUNS_TYPO", "CAPSTAN_RUNS_", "CAPSTAN_RUNS_WARM_",
                               "CAPSTAN_RUNS_warm", "CAPSTAN_RUNNER_FOLDERS"}) {
    EXPECT_TRUE(problem_in_variable(variable, "").starts_with(std::string(variable) + ": "))
        << variable;
  }
}

TEST_F(ConfigTest, leaves_variables_alone_that_are_for_others) {
  for (const char* variable : {"CAPSTAN_API_KEY", "CAPSTAN_URL", "CAPSTAN_BINARY", "CAPSTAN_RUNS",
                               "CAPSTAN_TASKS_TYPO", "CAPSTAN_", "RUNS_TYPO"}) {
    EXPECT_EQ(problem_in_variable(variable, "x"), "") << variable;
  }
}

TEST_F(ConfigTest, says_where_a_bad_address_to_listen_at_was_given) {
  constexpr const char* problem_text =
      ": server.listen must be HOST:PORT with a port from 0 to 65535, such as \"127.0.0.1:8700\"";
  EXPECT_EQ(problem_in_file("[server]\nlisten = \"nonsense\"\n"),
            path_.string() + ", line 2" + problem_text);
  flags_.config_file.reset();
  for (const char* variable : {"CAPSTAN_LISTEN", "CAPSTAN_SERVER_LISTEN"}) {
    EXPECT_EQ(problem_in_variable(variable, "nonsense"), std::string(variable) + problem_text);
    EXPECT_EQ(problem_in_variable(variable, ""), std::string(variable) + problem_text);
  }
  variables_.clear();
  flags_.listen = "nonsense";
  EXPECT_EQ(problem(), std::string("--listen") + problem_text);
}

TEST(ParseListen, takes_a_host_and_a_port) {
  struct Good {
    const char* text;
    const char* host;
    std::uint16_t port;
  };
  constexpr Good good[] = {
      {"127.0.0.1:8700", "127.0.0.1", 8700},
      {"[::1]:8700", "::1", 8700},
      {"localhost:0", "localhost", 0},
      {"0.0.0.0:65535", "0.0.0.0", 65535},
      {"[::]:80", "::", 80},
      {"a.example:1", "a.example", 1},
  };
  for (const Good& each : good) {
    auto address = parse_listen(each.text);
    ASSERT_TRUE(address) << each.text;
    EXPECT_EQ(address->host, each.host) << each.text;
    EXPECT_EQ(address->port, each.port) << each.text;
  }
}

TEST(ParseListen, refuses_anything_else) {
  for (const char* text : {"", "127.0.0.1", "8700", ":8700", "127.0.0.1:", "127.0.0.1:x",
                           "127.0.0.1:80x", "127.0.0.1:-1", "127.0.0.1:+1", "127.0.0.1: 80",
                           "127.0.0.1:65536", "127.0.0.1:4294967376", "[]:80", "[::1]"}) {
    EXPECT_FALSE(parse_listen(text)) << text;
  }
}

TEST_F(ConfigTest, an_address_that_others_can_reach_has_to_be_allowed) {
  constexpr std::pair<const char*, bool> addresses[] = {
      {"127.0.0.1:1", true},          {"127.1.2.3:1", true},
      {"localhost:1", true},          {"[::1]:1", true},
      {"0.0.0.0:1", false},           {"[::]:1", false},
      {"192.168.0.1:1", false},       {"a.example:1", false},
      {"localhost.example:1", false}, {"127.0.0.1.example:1", false},
  };
  for (const auto& [text, is_loopback] : addresses) {
    EXPECT_EQ(parse_listen(text)->is_loopback(), is_loopback) << text;
    flags_.listen = text;
    flags_.insecure_listen = false;
    auto outcome = outcome_of_call([this] { return listen_address_of(read()); });
    EXPECT_EQ(outcome.ok(), is_loopback) << text;
    if (!outcome.ok()) {
      EXPECT_EQ(outcome.error().code(), ErrorCode::invalid_argument);
      EXPECT_NE(outcome.error().message().find("--insecure-listen"), std::string::npos);
    }
    flags_.insecure_listen = true;
    EXPECT_EQ(listen_address_of(read()).port, 1) << text;
  }
}

TEST_F(ConfigTest, the_runners_folder_is_the_configured_one_made_absolute) {
  Config config = read();
  config.runner.folder = folder_.path().string();
  EXPECT_EQ(find_runner_folder(config), folder_.path());
  config.runner.folder = "runner";
  EXPECT_EQ(find_runner_folder(config), std::filesystem::current_path() / "runner");
}

}  // namespace capstan
