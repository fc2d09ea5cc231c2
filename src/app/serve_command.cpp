#include "app/serve_command.h"

#include <csignal>
#include <cstdlib>
#include <malloc.h>
#include <sys/resource.h>

#include <boost/asio/signal_set.hpp>

#include "app/app.h"
#include "app/command_loop.h"

namespace capstan {
namespace {

// A block of this size has a mapping of its own, which goes back to the system with it.
constexpr int large_block_bytes = 1 << 20;

// Browsers and connections take descriptors; the kernel's default of 1024 is soon used up.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
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

}  // namespace

ServeCommand::ServeCommand(CLI::App& command) {
  add_config_flags(command, flags_);
  command.add_option("--listen", flags_.listen, "HOST:PORT, 127.0.0.1:8700 if not given");
  command.add_flag("--insecure-listen", flags_.insecure_listen,
                   "Allow an address that others can reach, without TLS");
}

ExitCode ServeCommand::run() {
  std::signal(SIGPIPE, SIG_IGN);
  // Without this, glibc keeps more and more of what was freed once it has freed something large.
  ::mallopt(M_MMAP_THRESHOLD, large_block_bytes);
  raise_descriptor_limit();
  Config config = read_config(flags_, environment_of_process());
  listen_address_of(config);  // a refusal leaves nothing behind
  asio::io_context loop(1);
  Event stop(loop.get_executor());
  asio::signal_set signals(loop, SIGTERM, SIGINT);
  listen_for_signals(signals, stop);
  App app(loop.get_executor(), std::move(config));
  run_on(loop, app.serve(&stop));
  return ExitCode::ok;
}

}  // namespace capstan
