#include "io/stream.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include "base/error.h"

namespace capstan {

Stream::Stream(const Executor& executor, Fd fd) : descriptor_(executor, fd.release()) {
  descriptor_.non_blocking(true);
}

Async<std::size_t> Stream::read_some(std::span<char> buffer) {
  auto [error, count] = co_await descriptor_.async_read_some(
      asio::buffer(buffer.data(), buffer.size()), asio::as_tuple(asio::use_awaitable));
  if (error == asio::error::operation_aborted) {
    throw Error(ErrorCode::cancelled, "cancelled");
  }
  co_return error ? 0 : count;
}

Async<std::string> Stream::read_to_end(std::size_t bytes_max) {
  std::string text;
  std::array<char, 16384> buffer{};
  while (std::size_t count = co_await read_some(buffer)) {
    if (count > bytes_max - text.size()) {
      throw Error(ErrorCode::resource_exhausted,
                  "more than " + std::to_string(bytes_max) + " bytes came");
    }
    text.append(buffer.data(), count);
  }
  co_return text;
}

std::size_t Stream::read_now(std::span<char> buffer) {
  ssize_t count = ::read(descriptor_.native_handle(), buffer.data(), buffer.size());
  return count < 0 ? 0 : static_cast<std::size_t>(count);
}

Async<> Stream::write(std::string_view bytes) {
  co_await asio::async_write(descriptor_, asio::buffer(bytes.data(), bytes.size()),
                             asio::use_awaitable);
}

void Stream::write_now(std::string_view bytes, const Fd* passed) {
  iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  if (passed != nullptr) {
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    int descriptor = passed->get();
    std::memcpy(CMSG_DATA(rights), &descriptor, sizeof descriptor);
  }
  ssize_t sent = ::sendmsg(descriptor_.native_handle(), &header, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent != static_cast<ssize_t>(bytes.size())) {
    throw Error(ErrorCode::unavailable, "the other side does not read",
                sent < 0 ? std::strerror(errno) : "it took a part");
  }
}

void Stream::close() {
  boost::system::error_code ignored;
  descriptor_.close(ignored);
}

}  // namespace capstan
