// Tries to get out of the cage that it runs in, by every way that we know of, and prints for each
// what came of it: "NAME held" or "NAME escaped", and "done" at the end. The server runs it when it
// starts, once per kind and level of cage, and believes in a level only when all of these are held.
// So it must try for real, and must not need anything that a cage doesn't give.
//
//   escape --file PATH --pid PID --pid-namespace LINK --tcp PORT --udp PORT --abstract NAME
//          --processes N
//
// The file, the process and the sockets are canaries of the server's. A grandchild that detaches
// itself lives on until it is ended from outside; the server sees it go when the output ends.

#include <arpa/inet.h>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

struct Canaries {
  std::string file;
  std::string pid;
  std::string pid_namespace;
  int tcp_port = 0;
  int udp_port = 0;
  std::string abstract_name;
  int processes_max = 0;
};

bool can_open(const std::string& path, int flags) {
  int file = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  if (file >= 0) {
    ::close(file);
  }
  return file >= 0;
}

bool can_make_socket(int family, int type) {
  int made = ::socket(family, type | SOCK_CLOEXEC, 0);
  if (made >= 0) {
    ::close(made);
  }
  return made >= 0;
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

// In another pid namespace the server's number is nobody's, or somebody else's.
bool sees_server(const Canaries& canaries) {
  char link[64] = {};
  return ::readlink("/proc/self/ns/pid", link, sizeof link - 1) > 0 &&
         canaries.pid_namespace == link;
}

constexpr unsigned grandchild_life_s = 30;

// What may go wrong with the attempt itself happens in a process of its own.
template <class Attempt>
bool in_child(Attempt attempt) {
  pid_t child = ::fork();
  if (child == 0) {
    ::_exit(attempt() ? 1 : 0);
  }
  if (child < 0) {
    return true;  // what wasn't tried isn't held
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

bool read_file(const Canaries& canaries) { return can_open(canaries.file, O_RDONLY); }

bool list_folder(const Canaries& canaries) {
  std::string folder = canaries.file.substr(0, canaries.file.rfind('/') + 1);
  int opened = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  char entries[512];
  bool listed = opened >= 0 && ::syscall(SYS_getdents64, opened, entries, sizeof entries) > 0;
  ::close(opened);
  return listed;
}

bool plant_file(const Canaries& canaries) {
  return can_open(canaries.file + ".planted", O_WRONLY | O_CREAT);
}

bool read_server_environment(const Canaries& canaries) {
  return sees_server(canaries) && can_open("/proc/" + canaries.pid + "/environ", O_RDONLY);
}

bool read_server_memory(const Canaries& canaries) {
  return sees_server(canaries) && can_open("/proc/" + canaries.pid + "/mem", O_RDWR);
}

bool look_through_server_root(const Canaries& canaries) {
  return sees_server(canaries) && can_open("/proc/" + canaries.pid + "/root/etc/passwd", O_RDONLY);
}

bool signal_server(const Canaries& canaries) {
  return sees_server(canaries) && ::kill(std::atoi(canaries.pid.c_str()), 0) == 0;
}

bool trace_server(const Canaries& canaries) {
  return sees_server(canaries) && in_child([&] {
           return ::ptrace(PTRACE_SEIZE, std::atoi(canaries.pid.c_str()), nullptr, nullptr) == 0;
         });
}

bool connect_to_machine(const Canaries& canaries) {
  int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(canaries.tcp_port);
  bool connected = ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return connected;
}

// Whether it arrives is for the server to see.
void send_datagram_to_machine(const Canaries& canaries) {
  int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(canaries.udp_port);
  ::sendto(socket, "?", 1, 0, reinterpret_cast<sockaddr*>(&address), sizeof address);
  ::close(socket);
}

bool connect_to_abstract_socket(const Canaries& canaries) {
  int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  canaries.abstract_name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
  auto length =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + canaries.abstract_name.size());
  bool connected = ::connect(socket, reinterpret_cast<sockaddr*>(&address), length) == 0;
  ::close(socket);
  return connected;
}

bool open_packet_socket(const Canaries&) { return can_make_socket(AF_PACKET, SOCK_RAW); }
bool open_vsock(const Canaries&) { return can_make_socket(AF_VSOCK, SOCK_STREAM); }
bool open_kernel_crypto(const Canaries&) { return can_make_socket(AF_ALG, SOCK_SEQPACKET); }

bool make_user_namespace(const Canaries&) {
  return in_child([] { return ::unshare(CLONE_NEWUSER) == 0; });
}

bool become_root(const Canaries&) {
  return in_child([] { return ::setresuid(0, 0, 0) == 0; });
}

bool mount_something(const Canaries&) {
  return in_child([] { return ::mount("tmpfs", "/tmp", "tmpfs", 0, nullptr) == 0; });
}

bool make_device(const Canaries&) {
  const char* home = ::getenv("HOME");
  std::string path = std::string(home == nullptr ? "/tmp" : home) + "/device";
  return ::mknod(path.c_str(), S_IFCHR | 0666, makedev(1, 1)) == 0;
}

bool write_system_folder(const Canaries&) { return can_open("/usr/planted", O_WRONLY | O_CREAT); }

bool use_bpf(const Canaries&) { return ::syscall(SYS_bpf, 0, nullptr, 0) >= 0; }

bool exceed_processes(const Canaries& canaries) {
  int started = 0;
  pid_t child = 1;
  while (started <= canaries.processes_max && (child = ::fork()) > 0) {
    ++started;
  }
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::pause();
    ::_exit(0);
  }
  ::signal(SIGTERM, SIG_IGN);
  ::kill(0, SIGTERM);
  while (::wait(nullptr) > 0) {
  }
  ::signal(SIGTERM, SIG_DFL);
  return started > canaries.processes_max;
}

// Always succeeds; whether it was of any use is for the server to see.
void leave_a_grandchild() {
  if (::fork() == 0) {
    ::setsid();
    if (::fork() == 0) {
      ::signal(SIGTERM, SIG_IGN);
      ::signal(SIGHUP, SIG_IGN);
      ::alarm(grandchild_life_s);  // where nothing ends it, it doesn't stay for good
      while (true) {
        ::pause();
      }
    }
    ::_exit(0);
  }
  ::wait(nullptr);
}

using Attempt = bool (*)(const Canaries&);
constexpr struct {
  const char* name;
  Attempt attempt;
} attempts[] = {
    {"read-file", read_file},
    {"list-folder", list_folder},
    {"plant-file", plant_file},
    {"read-server-environment", read_server_environment},
    {"read-server-memory", read_server_memory},
    {"look-through-server-root", look_through_server_root},
    {"signal-server", signal_server},
    {"trace-server", trace_server},
    {"connect-to-machine", connect_to_machine},
    {"connect-to-abstract-socket", connect_to_abstract_socket},
    {"open-packet-socket", open_packet_socket},
    {"open-vsock", open_vsock},
    {"open-kernel-crypto", open_kernel_crypto},
    {"make-user-namespace", make_user_namespace},
    {"become-root", become_root},
    {"mount-something", mount_something},
    {"make-device", make_device},
    {"write-system-folder", write_system_folder},
    {"use-bpf", use_bpf},
    {"exceed-processes", exceed_processes},
};

Canaries read_canaries(int count, char** words) {
  Canaries canaries;
  for (int i = 1; i + 1 < count; i += 2) {
    std::string name = words[i];
    std::string value = words[i + 1];
    if (name == "--file") canaries.file = value;
    if (name == "--pid") canaries.pid = value;
    if (name == "--pid-namespace") canaries.pid_namespace = value;
    if (name == "--tcp") canaries.tcp_port = std::atoi(value.c_str());
    if (name == "--udp") canaries.udp_port = std::atoi(value.c_str());
    if (name == "--abstract") canaries.abstract_name = value;
    if (name == "--processes") canaries.processes_max = std::atoi(value.c_str());
  }
  return canaries;
}

// If nobody hears it, the server finds out by what is missing.
void say(const std::string& text) {
  [[maybe_unused]] ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
}

}  // namespace

int main(int count, char** words) {
  Canaries canaries = read_canaries(count, words);
  for (const auto& [name, attempt] : attempts) {
    say(std::string(name) + (attempt(canaries) ? " escaped\n" : " held\n"));
  }
  send_datagram_to_machine(canaries);
  leave_a_grandchild();
  say("done\n");
  return 0;
}
