#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "app/app.h"
#include "app/keys_command.h"
#include "base/log.h"

namespace {

using namespace capstan;

constexpr int usage_error = 2;

// Browsers and connections take descriptors; the kernel's default of 1024 is soon used up.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

int exit_code_of(const Error& error) {
  return error.code() == ErrorCode::invalid_argument ? usage_error : 1;
}

int report(const Error& error) {
  std::fprintf(stderr, "capstan: %s\n", error.message().c_str());
  if (!error.cause().empty()) {
    std::fprintf(stderr, "  because: %s\n", error.cause().c_str());
  }
  return exit_code_of(error);
}

// Runs the work on a loop of its own until it has ended.
int run_on_loop(asio::io_context& loop, Async<> work) {
  int exit_code = 0;
  asio::co_spawn(loop, std::move(work), [&](const std::exception_ptr& failure) {
    if (failure) {
      exit_code = report(to_error(failure));
    }
    loop.stop();
  });
  loop.run();
  return exit_code;
}

// The first SIGTERM or SIGINT asks for an orderly end; the second one doesn't wait for it. What
// runs then dies with us.
void listen_for_signals(asio::signal_set& signals, Event& stop) {
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (error) {
      return;
    }
    if (stop.is_set()) {
      std::_Exit(1);
    }
    stop.set();
    listen_for_signals(signals, stop);
  });
}

int serve(const ConfigFlags& flags) {
  std::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  Config config = read_config(flags, [](const char* name) { return std::getenv(name); });
  listen_address_of(config);  // a refusal leaves nothing behind
  asio::io_context loop(1);
  Event stop(loop.get_executor());
  asio::signal_set signals(loop, SIGTERM, SIGINT);
  listen_for_signals(signals, stop);
  App app(loop.get_executor(), std::move(config));
  return run_on_loop(loop, app.serve(&stop));
}

void add_config_flags(CLI::App& command, ConfigFlags& flags) {
  command.add_option("--data", flags.data, "Folder for everything that is kept");
  command.add_option("--config", flags.config_file, "Configuration file (TOML)");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App program("Capstan runs named browser tasks on your own machines.", "capstan");
  program.set_version_flag("--version", CAPSTAN_VERSION);
  program.require_subcommand(1);

  ConfigFlags flags;
  CLI::App* serve_command = program.add_subcommand("serve", "Start the server");
  add_config_flags(*serve_command, flags);
  serve_command->add_option("--listen", flags.listen, "HOST:PORT, 127.0.0.1:8700 if not given");
  serve_command->add_flag("--insecure-listen", flags.insecure_listen,
                          "Allow an address that others can reach, without TLS");

  CLI::App* keys = program.add_subcommand("keys", "API keys, in the data folder");
  KeysCommand keys_command(*keys, flags);

  try {
    program.parse(argc, argv);
    if (serve_command->parsed()) {
      return serve(flags);
    }
    asio::io_context loop(1);
    return run_on_loop(loop, keys_command.run());
  } catch (const CLI::ParseError& error) {
    int code = program.exit(error);
    return code == 0 ? 0 : usage_error;
  } catch (...) {
    return report(to_error(std::current_exception()));
  }
}
