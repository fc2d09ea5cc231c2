#include "launcher/report.h"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <unistd.h>

namespace capstan {
namespace {

constexpr int launch_failed = 127;  // what a shell answers, too

int status_socket = -1;

LauncherReport make_report(LauncherReport::Kind kind, int value, const char* step) {
  LauncherReport message{.kind = kind, .value = value, .step = {}};
  std::strncpy(message.step, step, sizeof message.step - 1);
  return message;
}

void send(const LauncherReport& message) {
  // Nobody listens any more once the server has died, and then so do we.
  if (::send(status_socket, &message, sizeof message, MSG_NOSIGNAL) != sizeof message) {
    ::_exit(launch_failed);
  }
}

}  // namespace

void report_to(int socket) { status_socket = socket; }

void report(LauncherReport::Kind kind, int value) { send(make_report(kind, value, "")); }

void fail(const char* step) {
  send(make_report(LauncherReport::Kind::failed, errno, step));
  ::_exit(launch_failed);
}

void hand_over(LauncherReport::Kind kind, int descriptor) {
  LauncherReport message = make_report(kind, 0, "");
  iovec piece{&message, sizeof message};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof descriptor)] = {};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  cmsghdr* rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof descriptor);
  std::memcpy(CMSG_DATA(rights), &descriptor, sizeof descriptor);
  if (::sendmsg(status_socket, &header, MSG_NOSIGNAL) < 0) {
    fail("hand over a descriptor");
  }
}

void end_without_server() {
  char word = 0;
  if (::recv(status_socket, &word, 1, MSG_PEEK | MSG_DONTWAIT) == 0) {
    ::_exit(launch_failed);
  }
}

void wait_for_go() {
  char word = 0;
  if (::recv(status_socket, &word, 1, 0) != 1 || word != launcher_go) {
    ::_exit(launch_failed);
  }
}

}  // namespace capstan
