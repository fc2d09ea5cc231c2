#include "cage/syscall_filter.h"

#include <asm/termbits.h>
#include <cerrno>
#include <cstring>
#include <linux/netlink.h>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <utility>

#include "base/error.h"

namespace capstan {
namespace {

// Linux 6.6, unknown to libseccomp 2.5.
constexpr int fchmodat2 = 452;

// For everybody in a cage.
constexpr int administration[] = {
    SCMP_SYS(acct),
    SCMP_SYS(add_key),
    SCMP_SYS(adjtimex),
    SCMP_SYS(bpf),
    SCMP_SYS(clock_adjtime),
    SCMP_SYS(clock_settime),
    SCMP_SYS(delete_module),
    SCMP_SYS(fanotify_init),
    SCMP_SYS(finit_module),
    SCMP_SYS(init_module),
    SCMP_SYS(ioperm),
    SCMP_SYS(iopl),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(keyctl),
    SCMP_SYS(lookup_dcookie),
    SCMP_SYS(memfd_secret),
    SCMP_SYS(name_to_handle_at),
    SCMP_SYS(nfsservctl),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(quotactl),
    SCMP_SYS(reboot),
    SCMP_SYS(request_key),
    SCMP_SYS(settimeofday),
    SCMP_SYS(swapoff),
    SCMP_SYS(swapon),
    SCMP_SYS(sysfs),
    SCMP_SYS(syslog),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(vhangup),
};

// What Chromium's own sandbox, or its crash reports, may need, and a task doesn't.
constexpr int namespaces_and_tracing[] = {
    SCMP_SYS(chroot),
    SCMP_SYS(fsconfig),
    SCMP_SYS(fsmount),
    SCMP_SYS(fsopen),
    SCMP_SYS(fspick),
    SCMP_SYS(kcmp),
    SCMP_SYS(mbind),
    SCMP_SYS(migrate_pages),
    SCMP_SYS(mount),
    SCMP_SYS(mount_setattr),
    SCMP_SYS(move_mount),
    SCMP_SYS(move_pages),
    SCMP_SYS(open_tree),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(pivot_root),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(ptrace),
    SCMP_SYS(set_mempolicy),
    SCMP_SYS(setns),
    SCMP_SYS(umount),
    SCMP_SYS(umount2),
    SCMP_SYS(unshare),
};

// A program that finds these missing does without them; one that is refused them may give up.
constexpr int not_there[] = {
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    SCMP_SYS(io_uring_setup),
};

// Its objects belong to the machine where the cage has no IPC namespace, and outlive who made them.
constexpr int system_v_ipc[] = {
    SCMP_SYS(msgctl), SCMP_SYS(msgget), SCMP_SYS(msgrcv), SCMP_SYS(msgsnd),
    SCMP_SYS(semctl), SCMP_SYS(semget), SCMP_SYS(semop),  SCMP_SYS(semtimedop),
    SCMP_SYS(shmat),  SCMP_SYS(shmctl), SCMP_SYS(shmdt),  SCMP_SYS(shmget),
};

// What a file says of itself is its owner's to change, and none of Landlock's business.
constexpr int attributes[] = {
    SCMP_SYS(chmod),     SCMP_SYS(chown),     SCMP_SYS(fchmod),    SCMP_SYS(fchmodat),
    SCMP_SYS(fchown),    SCMP_SYS(fchownat),  SCMP_SYS(fsetxattr), SCMP_SYS(futimesat),
    SCMP_SYS(lchown),    SCMP_SYS(lsetxattr), SCMP_SYS(setxattr),  SCMP_SYS(utime),
    SCMP_SYS(utimensat), SCMP_SYS(utimes),    fchmodat2,
};

// They change another process of the same user, which may be the server, and are none of Landlock's
// business. The process is their first argument; 0 is the caller itself.
constexpr int on_other_processes[] = {
    SCMP_SYS(sched_setaffinity),
    SCMP_SYS(sched_setattr),
    SCMP_SYS(sched_setparam),
    SCMP_SYS(sched_setscheduler),
};

constexpr unsigned new_namespaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
                                    CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
constexpr unsigned terminal_injection[] = {TIOCSTI, TIOCLINUX};
// Families are numbered without gaps so far; a larger number is nobody's.
constexpr unsigned families_max = 64;

// The condition that a call's argument compares so; for a masked comparison first the mask.
scmp_arg_cmp argument(unsigned index, scmp_compare comparison, scmp_datum_t first,
                      scmp_datum_t second = 0) {
  return {.arg = index, .op = comparison, .datum_a = first, .datum_b = second};
}

class Filter {
 public:
  Filter() : context_(::seccomp_init(SCMP_ACT_ALLOW), &::seccomp_release) {
    if (!context_) {
      throw Error(ErrorCode::unavailable, "can't make a filter for system calls");
    }
  }

  // Calls that this kernel's architecture doesn't have need no rule.
  template <class... Conditions>
  void refuse(int with, int call, Conditions... conditions) {
    int result = ::seccomp_rule_add(context_.get(), SCMP_ACT_ERRNO(static_cast<unsigned>(with)),
                                    call, sizeof...(conditions), conditions...);
    if (result != 0 && result != -EDOM) {
      throw Error(ErrorCode::unavailable, "can't make a filter for system calls",
                  std::strerror(-result));
    }
  }

  Fd to_file() const {
    Fd file(::memfd_create("capstan-filter", MFD_CLOEXEC));
    if (!file || ::seccomp_export_bpf(context_.get(), file.get()) != 0) {
      throw Error(ErrorCode::unavailable, "can't write a filter for system calls");
    }
    return file;
  }

 private:
  std::unique_ptr<void, decltype(&::seccomp_release)> context_;
};

void refuse_socket_families(Filter& filter) {
  for (unsigned family = 0; family < families_max; ++family) {
    bool is_allowed =
        family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK;
    if (!is_allowed) {
      filter.refuse(EAFNOSUPPORT, SCMP_SYS(socket), argument(0, SCMP_CMP_EQ, family));
    }
  }
  filter.refuse(EAFNOSUPPORT, SCMP_SYS(socket), argument(0, SCMP_CMP_GE, families_max));
  // Of netlink, what tells about the cage's own interfaces.
  filter.refuse(EAFNOSUPPORT, SCMP_SYS(socket), argument(0, SCMP_CMP_EQ, AF_NETLINK),
                argument(2, SCMP_CMP_NE, NETLINK_ROUTE));
}

// Landlock knows TCP and nothing else.
void refuse_other_than_tcp(Filter& filter) {
  // Bytes that are sent with an address connect as well, and Landlock isn't asked.
  for (auto [call, flags] : {std::pair(SCMP_SYS(sendto), 3U), std::pair(SCMP_SYS(sendmsg), 2U),
                             std::pair(SCMP_SYS(sendmmsg), 3U)}) {
    filter.refuse(EOPNOTSUPP, call,
                  argument(flags, SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, MSG_FASTOPEN));
  }
  filter.refuse(EOPNOTSUPP, SCMP_SYS(setsockopt),
                argument(1, SCMP_CMP_EQ, static_cast<unsigned>(IPPROTO_TCP)),
                argument(2, SCMP_CMP_EQ, static_cast<unsigned>(TCP_FASTOPEN_CONNECT)));
  constexpr unsigned type_bits = 0xf;
  for (int family : {AF_INET, AF_INET6}) {
    for (int type : {SOCK_DGRAM, SOCK_RAW, SOCK_RDM, SOCK_SEQPACKET, SOCK_DCCP}) {
      filter.refuse(EACCES, SCMP_SYS(socket),
                    argument(0, SCMP_CMP_EQ, static_cast<unsigned>(family)),
                    argument(1, SCMP_CMP_MASKED_EQ, type_bits, static_cast<unsigned>(type)));
    }
    // Streams of other protocols: MPTCP and SCTP would go past it.
    filter.refuse(EACCES, SCMP_SYS(socket), argument(0, SCMP_CMP_EQ, static_cast<unsigned>(family)),
                  argument(2, SCMP_CMP_GT, static_cast<unsigned>(IPPROTO_TCP)));
  }
}

// What a task could do to other processes and files of the server's own user.
void refuse_on_others(Filter& filter) {
  for (int call : attributes) {
    filter.refuse(EPERM, call);
  }
  for (int call : on_other_processes) {
    filter.refuse(EPERM, call, argument(0, SCMP_CMP_NE, 0));
  }
  filter.refuse(EPERM, SCMP_SYS(prlimit64), argument(0, SCMP_CMP_NE, 0),
                argument(2, SCMP_CMP_NE, 0));
  for (int call : {SCMP_SYS(setpriority), SCMP_SYS(ioprio_set)}) {
    filter.refuse(EPERM, call, argument(1, SCMP_CMP_NE, 0));
  }
  // Of the whole user, who is 0 as well.
  filter.refuse(EPERM, SCMP_SYS(setpriority),
                argument(0, SCMP_CMP_EQ, static_cast<unsigned>(PRIO_USER)));
  constexpr unsigned ioprio_who_user = 3;  // linux/ioprio.h, which Debian 12 lacks
  filter.refuse(EPERM, SCMP_SYS(ioprio_set), argument(0, SCMP_CMP_EQ, ioprio_who_user));
}

}  // namespace

Fd make_syscall_filter(CageKind kind, IsolationLevel level, bool has_own_user) {
  Filter filter;
  for (int call : administration) {
    filter.refuse(EPERM, call);
  }
  for (int call : not_there) {
    filter.refuse(ENOSYS, call);
  }
  for (unsigned request : terminal_injection) {
    filter.refuse(EPERM, SCMP_SYS(ioctl), argument(1, SCMP_CMP_MASKED_EQ, 0xffffffffU, request));
  }
  refuse_socket_families(filter);
  if (kind == CageKind::task) {
    for (int call : namespaces_and_tracing) {
      filter.refuse(EPERM, call);
    }
    for (unsigned bit = 1; bit != 0; bit <<= 1) {
      if ((new_namespaces & bit) != 0) {
        filter.refuse(EPERM, SCMP_SYS(clone), argument(0, SCMP_CMP_MASKED_EQ, bit, bit));
      }
    }
    // Its flags lie in memory, where a filter can't see them; the C library falls back on clone.
    filter.refuse(ENOSYS, SCMP_SYS(clone3));
  }
  if (level < IsolationLevel::strict) {
    refuse_other_than_tcp(filter);
    for (int call : system_v_ipc) {
      filter.refuse(EPERM, call);
    }
    if (kind == CageKind::task) {
      if (!has_own_user) {
        refuse_on_others(filter);
      }
      // Without a port that was bound before, which Landlock refuses, it takes any one.
      filter.refuse(EACCES, SCMP_SYS(listen));
      // A socket file of the machine is not Landlock's business. Node's own pipes are socket pairs.
      filter.refuse(EAFNOSUPPORT, SCMP_SYS(socket),
                    argument(0, SCMP_CMP_EQ, static_cast<unsigned>(AF_UNIX)));
    }
    // Nobody leaves the process group, by which all are ended.
    filter.refuse(EPERM, SCMP_SYS(setsid));
    filter.refuse(EPERM, SCMP_SYS(setpgid));
  }
  return filter.to_file();
}

}  // namespace capstan
