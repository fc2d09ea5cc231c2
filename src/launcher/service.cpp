#include "launcher/service.h"

#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "launcher/report.h"

namespace capstan {
namespace {

constexpr int first_passed_number = 3;  // of systemd's protocol

int stream_socket() {
  int made = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (made < 0) {
    fail("make the service's socket");
  }
  return made;
}

// Its folder may not be there yet.
sockaddr_un address_of(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (std::strlen(path) >= sizeof address.sun_path) {
    fail("name the service's socket");
  }
  std::strcpy(address.sun_path, path);
  std::string folder(path, std::strrchr(path, '/'));
  ::mkdir(folder.c_str(), 0755);
  return address;
}

[[noreturn]] void become_service(const Instructions& instructions, int listener) {
  // What is the program's stays its own. Above are only the launcher's, which close by themselves.
  ::dup2(listener, first_passed_number);
  ::fcntl(first_passed_number, F_SETFD, 0);  // it may have had this number already
  ::syscall(SYS_close_range, static_cast<unsigned>(first_passed_number) + 1, 200U, 0U);
  std::string process = "LISTEN_PID=" + std::to_string(::getpid());
  std::string home = std::string("HOME=") + instructions.work_in;
  const char* environment[] = {"LISTEN_FDS=1", process.c_str(), home.c_str(), "PATH=/usr/bin:/bin",
                               nullptr};
  std::vector<const char*> words = instructions.service.words;
  words.push_back(nullptr);
  ::execve(words[0], const_cast<char**>(words.data()), const_cast<char**>(environment));
  fail("exec the service");
}

}  // namespace

int open_service(const Instructions& instructions) {
  if (instructions.service.socket == nullptr) {
    return -1;
  }
  sockaddr_un address = address_of(instructions.service.socket);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  int listener = stream_socket();
  int connection = stream_socket();
  if (::bind(listener, generic, sizeof address) != 0 ||
      ::chmod(instructions.service.socket, 0777) != 0 || ::listen(listener, SOMAXCONN) != 0 ||
      ::connect(connection, generic, sizeof address) != 0) {
    fail("open the service's socket");
  }
  hand_over(LauncherReport::Kind::service, connection);
  ::close(connection);
  return listener;
}

void start_service(const Instructions& instructions, int listener) {
  if (listener < 0) {
    return;
  }
  pid_t service = ::fork();
  if (service < 0) {
    fail("fork the service");
  }
  if (service == 0) {
    ::setsid();
    become_service(instructions, listener);
  }
  ::close(listener);
}

}  // namespace capstan
