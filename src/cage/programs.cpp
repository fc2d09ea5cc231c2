#include "cage/programs.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <span>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"

// The bytes of the built programs, put here by the assembler.
#define EMBED_PROGRAM(name, file) \
  asm(".section .rodata\n"        \
      ".balign 16\n"              \
      "capstan_" name             \
      "_begin:\n"                 \
      ".incbin \"" file           \
      "\"\n"                      \
      "capstan_" name             \
      "_end:\n"                   \
      ".previous\n")

EMBED_PROGRAM("launcher", LAUNCHER_FILE);
EMBED_PROGRAM("escape", ESCAPE_FILE);

extern "C" const char capstan_launcher_begin[];
extern "C" const char capstan_launcher_end[];
extern "C" const char capstan_escape_begin[];
extern "C" const char capstan_escape_end[];

namespace capstan {
namespace {

// Since Linux 6.3 a file in memory has to say that it may be executed; older ones don't know it.
constexpr unsigned may_be_executed = 0x10;

Fd make_file(const char* name, std::span<const char> bytes) {
  constexpr unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  Fd file(::memfd_create(name, flags | may_be_executed));
  if (!file && errno == EINVAL) {
    file = Fd(::memfd_create(name, flags));
  }
  std::size_t written = 0;
  while (file && written < bytes.size()) {
    ssize_t count = ::write(file.get(), bytes.data() + written, bytes.size() - written);
    if (count < 0) {
      break;
    }
    written += static_cast<std::size_t>(count);
  }
  if (written < bytes.size() ||
      ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) !=
          0) {
    throw Error(ErrorCode::unavailable, "can't keep a program in memory", std::strerror(errno));
  }
  return file;
}

}  // namespace

Fd make_launcher_file() {
  return make_file("capstan-launcher", {capstan_launcher_begin, capstan_launcher_end});
}

Fd make_escape_file() {
  return make_file("capstan-escape", {capstan_escape_begin, capstan_escape_end});
}

}  // namespace capstan
