#include "cage/escape_trial.h"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sstream>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cage/programs.h"
#include "io/race.h"
#include "io/stream.h"
#include "io/stream_pair.h"

namespace capstan {

using namespace std::chrono_literals;

namespace {

constexpr auto trial_limit = 20s;
constexpr auto detached_limit = 2s;
constexpr std::size_t output_bytes_max = 16384;
constexpr std::uint64_t processes_max = 64;
constexpr int program_number = 5;
// What only a cage for tasks holds: a browser's sandbox is made of it.
constexpr std::string_view allowed_to_browsers = "make-user-namespace";
// What a cage doesn't promise where there is nothing to bound it with.
constexpr std::string_view held_by_bound = "exceed-processes";
constexpr std::string_view last_word = "done\n";

Fd listen_for(int family, int type, const sockaddr* address, socklen_t length) {
  Fd socket(::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket || ::bind(socket.get(), address, length) != 0 ||
      (type == SOCK_STREAM && ::listen(socket.get(), 8) != 0)) {
    throw Error(ErrorCode::unavailable, "can't put up a canary", std::strerror(errno));
  }
  return socket;
}

Fd listen_on_loopback(int type, std::uint16_t* port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  Fd socket = listen_for(AF_INET, type, generic, length);
  ::getsockname(socket.get(), generic, &length);
  *port = ntohs(address.sin_port);
  return socket;
}

Fd listen_on_abstract(const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
  auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  return listen_for(AF_UNIX, SOCK_STREAM, reinterpret_cast<sockaddr*>(&address), length);
}

std::string read_link(const char* path) {
  std::error_code ignored;
  return std::filesystem::read_symlink(path, ignored).string();
}

// What may not be touched from inside. Nothing but walls protects it: everybody may read and write
// the file.
class Canaries {
 public:
  Canaries()
      : tcp_(listen_on_loopback(SOCK_STREAM, &tcp_port_)),
        udp_(listen_on_loopback(SOCK_DGRAM, &udp_port_)),
        abstract_name_("capstan-canary-" + std::to_string(::getpid()) + "-" +
                       std::to_string(tcp_port_)),
        abstract_(listen_on_abstract(abstract_name_)) {
    write_private_file(file(), "canary");
    if (::chmod(file().c_str(), 0666) != 0 || ::chmod(folder_.path().c_str(), 0777) != 0) {
      throw Error(ErrorCode::unavailable, "can't put up a canary", std::strerror(errno));
    }
  }

  std::vector<std::string> words() const {
    return {"--file",          file().string(),
            "--pid",           std::to_string(::getpid()),
            "--pid-namespace", read_link("/proc/self/ns/pid"),
            "--tcp",           std::to_string(tcp_port_),
            "--udp",           std::to_string(udp_port_),
            "--abstract",      abstract_name_,
            "--processes",     std::to_string(processes_max)};
  }

  bool has_datagram() const {
    char byte = 0;
    return ::recv(udp_.get(), &byte, 1, MSG_DONTWAIT) > 0;
  }

 private:
  std::filesystem::path file() const { return folder_.path() / "canary"; }

  TemporaryFolder folder_{std::filesystem::temp_directory_path(), "capstan-canary-"};
  std::uint16_t tcp_port_ = 0;
  std::uint16_t udp_port_ = 0;
  Fd tcp_;
  Fd udp_;
  std::string abstract_name_;
  Fd abstract_;
};

// The output until the program has tried everything.
Async<std::string> read_to_last_word(Stream* output) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (!text.ends_with(last_word)) {
    std::size_t count = co_await output->read_some(buffer);
    text.append(buffer.data(), count);
    if (count == 0 || text.size() > output_bytes_max) {
      throw Error(ErrorCode::unavailable, "the attempts to escape came to no end", text);
    }
  }
  co_return text;
}

std::vector<std::string> read_findings(const std::string& output, CageKind kind,
                                       std::string_view processes_bound) {
  std::vector<std::string> escaped;
  std::istringstream lines(output);
  std::string name;
  std::string outcome;
  while (lines >> name >> outcome) {
    bool may = (kind == CageKind::browser && name == allowed_to_browsers) ||
               (processes_bound == "none" && name == held_by_bound);
    if (outcome != "held" && !may) {
      escaped.push_back(name + " got through");
    }
  }
  return escaped;
}

}  // namespace

Async<std::vector<std::string>> try_to_escape(Executor executor, Cage* cage, CageKind kind,
                                              IsolationLevel level) {
  Canaries canaries;
  StreamPair out = make_output_pipe();
  ChildOrder order{.kind = kind};
  order.command = [&](const Interior& interior) {
    return Command{.program = "/proc/self/fd/" + std::to_string(program_number),
                   .arguments = canaries.words(),
                   .environment = {{"HOME", interior.home.string()}}};
  };
  order.limits.processes_max = processes_max;
  order.descriptors.push_back({1, std::move(out.theirs)});
  order.descriptors.push_back({program_number, make_escape_file()});
  std::unique_ptr<Child> child = co_await cage->start_at(level, std::move(order));
  Stream output(executor, std::move(out.ours));
  SystemClock clock;
  std::string text = co_await within(clock, trial_limit, read_to_last_word(&output),
                                     "the attempts to escape took too long");
  std::vector<std::string> escaped = read_findings(text, kind, cage->processes_bound(level));
  child->kill();
  // The output ends when the last process that holds it has gone, which takes its being ended.
  auto end = co_await outcome_of(within(clock, detached_limit, output.read_to_end(output_bytes_max),
                                        "a process that detached itself lived on"));
  if (!end.ok()) {
    escaped.push_back(end.error().message());
  }
  if (canaries.has_datagram()) {
    escaped.emplace_back("send-datagram-to-machine got through");
  }
  co_return escaped;
}

}  // namespace capstan
