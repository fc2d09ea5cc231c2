#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/environment.h"
#include "base/time.h"
#include "egress/exits.h"

namespace capstan {

// Every setting of the server with its default, under the names of the configuration file:
// `runs.max_running` is `max_running` in `[runs]`, and CAPSTAN_RUNS_MAX_RUNNING in the
// environment. A flag beats the environment, which beats the file.
struct Config {
  std::filesystem::path data = "capstan-data";

  struct {
    std::string listen = "127.0.0.1:8700";
    std::vector<std::string> hosts;         // names, besides addresses and localhost, it goes by
    std::string temporary_folder = "/tmp";  // for what children need while they live
    bool insecure_listen = false;           // allows an address that others can reach, without TLS
  } server;

  struct {
    std::size_t max_running;  // default: four per processor
    std::size_t max_queued = 1000;
    std::size_t max_queued_per_team = 200;
    Duration timeout = std::chrono::hours(3);
    std::size_t warm = 2;
    std::size_t log_bytes_max = std::size_t{1} << 20;
    std::size_t memory_mib_max = 1024;
    std::size_t disk_mib_max = 256;
    std::size_t processes_max = 256;
    std::size_t open_files_max = 1024;
    std::size_t cpu_percent_max = 0;  // 100 is one processor; 0: no limit
    Duration shutdown_grace = std::chrono::seconds(25);
  } runs;

  struct {
    std::size_t max;  // default: what half of the memory holds, at most 64
    std::size_t max_per_team = 64;
    std::size_t memory_mib_max = 4096;
    std::size_t disk_mib_max = 1024;
    std::size_t processes_max = 1024;
    std::size_t open_files_max = 8192;
    std::size_t cpu_percent_max = 0;
  } sessions;

  struct {
    std::size_t days = 30;       // for which one is kept
    std::size_t gib_max = 10;    // all together; the oldest go first
    std::size_t mib_max = 2048;  // of one, where it is cut off
    std::size_t minutes_max = 360;
    std::size_t free_mib_min = 256;  // what stays free on the disk for everything else
    std::size_t frames_per_second = 10;
    std::string ffmpeg = "/usr/bin/ffmpeg";
  } recordings;

  struct {
    std::string kind = "headful";  // `browser.default`: of sessions that don't say
    std::string chromium = "/usr/lib/chromium/chromium";
    std::string headless_shell = "/usr/lib/chromium/chromium-headless-shell";
    std::string xvfb = "/usr/bin/Xvfb";
    std::size_t warm_headful = 1;
    std::size_t warm_headless = 1;
  } browser;

  struct {
    std::string network = "none";
    std::size_t code_bytes_max = std::size_t{1} << 20;
  } task;

  struct {
    std::vector<std::string> allow;  // kept; the gateway that applies it is not built yet
    std::vector<Exit> exits;         // of the file alone; with passwords, so never to be shown
  } egress;

  struct {
    std::string minimum = "standard";
    std::string maximum = "strict";  // a level above it is not tried for
  } isolation;

  struct {
    std::string folder;  // default: beside the program
  } runner;

  Config();
};

// What was given on the command line.
struct ConfigFlags {
  std::optional<std::string> listen;
  std::optional<std::string> data;
  std::optional<std::string> config_file;
  bool insecure_listen = false;
};

// Throws invalid_argument, naming file and line, variable or flag, for what is unknown or bad.
Config read_config(const ConfigFlags& flags, const Environment& environment);

// Where the Node side lies: as set, else with the checkout or the installation of this program.
std::filesystem::path find_runner_folder(const Config& config);

struct ListenAddress {
  std::string host;
  std::uint16_t port;

  bool is_loopback() const;
};
// "127.0.0.1:8700", "[::1]:8700", "localhost:0"; nothing for anything else.
std::optional<ListenAddress> parse_listen(const std::string& text);
// Where to listen. Throws invalid_argument for an address that others can reach, unless that was
// allowed.
ListenAddress listen_address_of(const Config& config);

}  // namespace capstan
