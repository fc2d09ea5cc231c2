#include "launcher/file_tree.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/report.h"

namespace capstan {
namespace {

// The machine's files while the new tree is put together, and the tree.
const std::string machine = "/machine";
const std::string tree = "/tree";

// Folders of the system that in a merged /usr are links into it, and in an older one folders.
constexpr const char* system_folders[] = {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};
constexpr const char* devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                   "/dev/urandom"};
constexpr unsigned long safe = MS_NOSUID | MS_NODEV;

void mount_or_fail(const char* what, const std::string& where, const char* kind,
                   unsigned long flags, const char* data) {
  if (::mount(what, where.c_str(), kind, flags, data) != 0) {
    fail(("mount " + where).c_str());
  }
}

// `old` is where the old root is to be found below the new one.
void change_root(const char* to, const char* old) {
  if (::chdir(to) != 0 || ::syscall(SYS_pivot_root, ".", old) != 0) {
    fail("pivot_root");
  }
}

void make_folders(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    ::mkdir(path.substr(0, slash).c_str(), 0755);
  }
  ::mkdir(path.c_str(), 0755);
}

// A bind mount needs something of its own kind to cover.
void make_place_for(const struct stat& source, const std::string& path) {
  if (S_ISDIR(source.st_mode)) {
    make_folders(path);
    return;
  }
  make_folders(path.substr(0, path.rfind('/')));
  ::close(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
}

// The whole subtree, so that what is mounted below it is restricted as well.
void restrict(const std::string& path, std::uint64_t attributes) {
  mount_attr change{};
  change.attr_set = attributes;
  if (::syscall(SYS_mount_setattr, AT_FDCWD, path.c_str(), AT_RECURSIVE, &change, sizeof change) !=
      0) {
    fail(("restrict " + path).c_str());
  }
}

// What isn't on this machine is left out: not every machine has fonts.
void bind(const std::string& path, std::uint64_t attributes) {
  struct stat source{};
  if (::lstat((machine + path).c_str(), &source) != 0) {
    return;
  }
  std::string place = tree + path;
  make_place_for(source, place);
  mount_or_fail((machine + path).c_str(), place, nullptr, MS_BIND | MS_REC, nullptr);
  restrict(place, attributes);
}

void take_over_system_folder(const std::string& path) {
  char target[256] = {};
  ssize_t length = ::readlink((machine + path).c_str(), target, sizeof target - 1);
  if (length > 0) {
    ::symlink(target, (tree + path).c_str());
  } else {
    bind(path, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
  }
}

void write_file(const std::string& path, const std::string& text) {
  int file = ::open((tree + path).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0 || ::write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    fail(("write " + path).c_str());
  }
  ::close(file);
}

// Enough for programs that ask who they are and where localhost is.
void write_system_files() {
  make_folders(tree + "/etc");
  write_file("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n");
  write_file("/etc/passwd", "user:x:" + std::to_string(user_inside) + ":" +
                                std::to_string(user_inside) + "::/tmp:/usr/sbin/nologin\n");
  write_file("/etc/group", "user:x:" + std::to_string(user_inside) + ":\n");
  write_file("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n");
}

void make_devices() {
  make_folders(tree + "/dev");
  for (const char* device : devices) {
    bind(device, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
  }
  ::symlink("/proc/self/fd", (tree + "/dev/fd").c_str());
}

void make_scratch(const Scratch& scratch, unsigned owner) {
  std::string place = tree + scratch.path;
  make_folders(place);
  // One file per 8 KiB on average is more than anybody needs, and bounds what files cost without
  // having any bytes.
  std::string options = "size=" + std::to_string(scratch.bytes_max) +
                        ",nr_inodes=" + std::to_string(scratch.bytes_max / 8192 + 1024) +
                        ",mode=0700,uid=" + std::to_string(owner) + ",gid=" + std::to_string(owner);
  mount_or_fail("tmpfs", place, "tmpfs", safe | MS_NOEXEC, options.c_str());
}

}  // namespace

void enter_file_tree(const Instructions& instructions, unsigned owner) {
  mount_or_fail(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  mount_or_fail("tmpfs", "/tmp", "tmpfs", safe, "size=1m,mode=0755");
  ::mkdir(("/tmp" + machine).c_str(), 0755);
  change_root("/tmp", machine.c_str() + 1);
  ::mkdir(tree.c_str(), 0755);
  mount_or_fail("tmpfs", tree, "tmpfs", safe, "size=1m,mode=0755");

  // First the scratch folders: other folders may lie below them.
  for (const Scratch& scratch : instructions.scratches) {
    make_scratch(scratch, owner);
  }
  for (const char* path : system_folders) {
    take_over_system_folder(path);
  }
  for (const char* path : instructions.readable) {
    bind(path, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
  }
  for (const char* path : instructions.writable) {
    bind(path, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  }
  make_devices();
  write_system_files();
  make_folders(tree + "/proc");
  mount_or_fail("proc", tree + "/proc", "proc", safe | MS_NOEXEC, nullptr);

  // The old root comes to lie on top of the new one, and is taken away from there.
  change_root(tree.c_str(), ".");
  if (::umount2(".", MNT_DETACH) != 0 || ::chdir("/") != 0) {
    fail("leave the machine's files");
  }
  mount_attr change{};
  change.attr_set = MOUNT_ATTR_RDONLY;
  if (::syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, &change, sizeof change) != 0) {
    fail("restrict /");
  }
}

}  // namespace capstan
