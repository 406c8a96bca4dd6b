// The vfork engine: clone(CLONE_VM | CLONE_VFORK | CLONE_PIDFD). The child borrows this
// process's memory, and the calling thread waits until the child execs or exits. Nothing is
// copied, so the cost is the same at any size of the parent.
//
// This is one long file because the steps that run in the child, the table that orders them,
// the contract that all of them keep and the clone that relies on it (stack, blocked signals,
// dumpable flag) can only be judged together.

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <type_traits>
#include <vector>

#include "child_process/spawn.h"

// Some distributions that we build on lack these in their headers.
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

namespace pipewright {

namespace {

// execvp(3) searches these directories if there is no PATH.
constexpr char kDefaultPath[] = "/bin:/usr/bin";
char kShell[] = "/bin/sh";

// All that the child needs, and its report of a failure. It is made before the clone, since the
// child must not allocate.
struct Child {
  explicit Child(const SpawnOptions& options);

  const SpawnOptions& options;
  char* const* env;
  std::vector<std::string> candidates;  // The files to try to execute, in order.
  std::vector<char*> shell_args;        // For a script without "#!"; [1] is the script.
  std::vector<int> stdio;               // A copy of options.stdio, which LiftStdio() changes.
  pid_t parent;

  const char* step = nullptr;
  int error = 0;
};

const char* FindPath(const SpawnOptions& options) {
  const char* path = nullptr;
  if (!options.env) {
    path = std::getenv("PATH");
  } else {
    for (char* const* item = options.env->data(); *item != nullptr && path == nullptr; ++item) {
      if (std::strncmp(*item, "PATH=", 5) == 0) path = *item + 5;
    }
  }
  return path != nullptr ? path : kDefaultPath;
}

// As in execvp(3), a name with a slash is a path, and an empty element of PATH means the
// current directory.
std::vector<std::string> FindCandidates(const SpawnOptions& options) {
  const std::string& file = options.file;
  if (file.empty() || file.find('/') != std::string::npos) return {file};
  std::vector<std::string> candidates;
  const std::string path = FindPath(options);
  size_t start = 0;
  while (start <= path.size()) {
    const size_t end = std::min(path.find(':', start), path.size());
    std::string candidate = path.substr(start, end - start);
    if (!candidate.empty()) candidate += '/';
    candidates.push_back(candidate + file);
    start = end + 1;
  }
  return candidates;
}

Child::Child(const SpawnOptions& spawn_options)
    : options(spawn_options),
      env(options.env ? options.env->data() : environ),
      candidates(FindCandidates(options)),
      shell_args{kShell, nullptr},
      stdio(options.stdio),
      parent(getpid()) {
  shell_args.insert(shell_args.end(), options.args.data() + 1,
                    options.args.data() + options.args.size() + 1);
}

// The functions from here to RunChild() run in the child. Their contract:
//
// - They run in the parent's memory, on a stack of their own, while the thread that spawned
//   waits and all other threads go on. The parent sees what they write: that is how `step` and
//   `error` come back. They may write nothing else but their own stack, `stdio` and
//   `shell_args`.
// - They must not allocate or take a lock: another thread may hold the lock.
// - They must not call functions of libc that keep state, above all its setuid() family,
//   which would signal every thread of the parent. They call syscall(2) only, which sets the
//   errno of the waiting thread.
// - No signal handler may run: all signals are blocked until just before the exec, and by then
//   ResetSignals() has removed every handler. (Without CLONE_SIGHAND the child has its own
//   table of handlers. It also has its own descriptors, directory, umask and credentials.)

template <typename Argument>
long ToWord(Argument argument) {
  if constexpr (std::is_null_pointer_v<Argument>) {
    return 0;
  } else if constexpr (std::is_pointer_v<Argument>) {
    return reinterpret_cast<long>(argument);
  } else {
    return static_cast<long>(argument);
  }
}

// Returns the result of the system call, or a negative errno.
template <typename... Arguments>
long Call(long number, Arguments... arguments) {
  const long result = syscall(number, ToWord(arguments)...);
  return result == -1 ? -errno : result;
}

long StartSession(Child* child) { return child->options.detached ? Call(SYS_setsid) : 0; }

long JoinProcessGroup(Child* child) {
  const auto& group = child->options.process_group;
  // The leader of a new session is in a group of its own already, and setpgid(2) refuses it.
  if (!group || (*group == 0 && child->options.detached)) return 0;
  return Call(SYS_setpgid, 0, *group);
}

// With stdio [1, 0], placing 1 at 0 would overwrite the 0 that belongs at 1. So a source with a
// lower number than its place is first duplicated above all places.
long LiftStdio(std::vector<int>* stdio) {
  const auto count = static_cast<int>(stdio->size());
  for (int fd = 0; fd < count; ++fd) {
    int& source = (*stdio)[static_cast<size_t>(fd)];
    if (source < 0 || source >= fd) continue;
    const long lifted = Call(SYS_fcntl, source, F_DUPFD_CLOEXEC, count);
    if (lifted < 0) return lifted;
    source = static_cast<int>(lifted);
  }
  return 0;
}

// Makes `source` the descriptor `fd`, and keeps it open through the exec.
long Place(int source, int fd) {
  return source == fd ? Call(SYS_fcntl, fd, F_SETFD, 0) : Call(SYS_dup3, source, fd, 0);
}

long PlaceNull(int fd) {
  const int mode = fd == STDIN_FILENO ? O_RDONLY : O_RDWR;
  const long opened = Call(SYS_openat, AT_FDCWD, "/dev/null", mode | O_CLOEXEC, 0);
  if (opened < 0) return opened;
  const auto source = static_cast<int>(opened);
  const long err = Place(source, fd);
  if (source != fd) Call(SYS_close, source);
  return err;
}

// Programs expect that reads and writes of 0, 1 and 2 block.
long SetBlocking(int fd) {
  const long flags = Call(SYS_fcntl, fd, F_GETFL);
  if (flags < 0 || (flags & O_NONBLOCK) == 0) return flags;
  return Call(SYS_fcntl, fd, F_SETFL, flags & ~O_NONBLOCK);
}

long PlaceStdio(Child* child) {
  long err = LiftStdio(&child->stdio);
  const auto count = static_cast<int>(child->stdio.size());
  for (int fd = 0; fd < count && err >= 0; ++fd) {
    const int source = child->stdio[static_cast<size_t>(fd)];
    if (source >= 0) {
      err = Place(source, fd);
      if (err >= 0 && fd <= STDERR_FILENO) err = SetBlocking(fd);
    } else if (fd <= STDERR_FILENO) {
      err = PlaceNull(fd);
    } else {
      Call(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);  // EBADF if it is not open.
    }
  }
  return err;
}

long TakeControllingTerminal(Child* child) {
  const auto& fd = child->options.controlling_terminal;
  return fd ? Call(SYS_ioctl, *fd, TIOCSCTTY, 0) : 0;
}

// An entry as getdents64(2) writes it; the C libraries have no common name for it.
struct DirectoryEntry {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[1];  // As long as `length` allows.
};

// Used on kernels before 5.11, and in sandboxes that refuse close_range(2).
void CloseOnExecOneByOne(int first) {
  const long directory =
      Call(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (directory < 0) {
    for (int fd = first; fd < 65536; ++fd) Call(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
    return;
  }
  alignas(DirectoryEntry) char entries[4096];
  long size;
  while ((size = Call(SYS_getdents64, directory, entries, sizeof(entries))) > 0) {
    for (long at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const DirectoryEntry*>(entries + at);
      at += entry->length;
      int fd = 0;
      for (const char* digit = entry->name; *digit >= '0' && *digit <= '9'; ++digit) {
        fd = fd * 10 + (*digit - '0');
      }
      if (fd >= first) Call(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
    }
  }
}

// Marks the descriptors and does not close them: closing ten thousand sockets takes half a
// millisecond, and the exec closes them only after the parent goes on.
long CloseDescriptors(Child* child) {
  if (!child->options.close_descriptors) return 0;
  const auto first = static_cast<int>(child->stdio.size());
  if (Call(SYS_close_range, first, UINT_MAX, CLOSE_RANGE_CLOEXEC) < 0) CloseOnExecOneByOne(first);
  return 0;
}

long ChangeDirectory(Child* child) {
  const auto& cwd = child->options.cwd;
  return cwd ? Call(SYS_chdir, cwd->c_str()) : 0;
}

long SetUmask(Child* child) {
  const auto& umask = child->options.umask;
  return umask ? Call(SYS_umask, *umask) : 0;
}

long SetPriority(Child* child) {
  const auto& priority = child->options.priority;
  return priority ? Call(SYS_setpriority, PRIO_PROCESS, 0, *priority) : 0;
}

long SetGroups(Child* child) {
  const SpawnOptions& options = child->options;
  if (options.groups) return Call(SYS_setgroups, options.groups->size(), options.groups->data());
  // A child with another user must not keep the groups of this one. The call fails if this
  // process is unprivileged; that does not matter, since it can then only ask for its own user.
  if (options.uid || options.gid) Call(SYS_setgroups, 0, nullptr);
  return 0;
}

long SetGid(Child* child) {
  const auto& gid = child->options.gid;
  return gid ? Call(SYS_setgid, *gid) : 0;
}

long SetUid(Child* child) {
  const auto& uid = child->options.uid;
  return uid ? Call(SYS_setuid, *uid) : 0;
}

long DropPrivileges(Child* child) {
  if (!child->options.no_new_privileges) return 0;
  return Call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

// This comes after the change of user, which would clear the signal.
long SetParentDeathSignal(Child* child) {
  const auto& signal = child->options.parent_death_signal;
  if (!signal) return 0;
  const long err = Call(SYS_prctl, PR_SET_PDEATHSIG, *signal, 0, 0, 0);
  // A parent that died before this call sends no signal any more.
  if (err >= 0 && Call(SYS_getppid) != child->parent) return -ESRCH;
  return err;
}

// This comes after all steps that a limit might forbid.
long SetResourceLimits(Child* child) {
  for (const ResourceLimit& limit : child->options.rlimits) {
    const long err = Call(SYS_prlimit64, 0, limit.resource, limit.values, nullptr);
    if (err < 0) return err;
  }
  return 0;
}

// An exec keeps ignored signals and the signal mask, so both are reset before it.
long ResetSignals(Child*) {
  // The kernel's struct sigaction: handler, flags, restorer, mask. All zeros mean SIG_DFL.
  const unsigned long default_action[4] = {};
  const uint64_t no_signals = 0;
  for (int signal = 1; signal <= 64; ++signal) {
    Call(SYS_rt_sigaction, signal, default_action, nullptr, sizeof(no_signals));
  }
  return Call(SYS_rt_sigprocmask, SIG_SETMASK, &no_signals, nullptr, sizeof(no_signals));
}

// Returns only on failure.
long ExecuteFile(Child* child, const std::string& file) {
  const long err = Call(SYS_execve, file.c_str(), child->options.args.data(), child->env);
  if (err != -ENOEXEC) return err;
  child->shell_args[1] = const_cast<char*>(file.c_str());
  return Call(SYS_execve, kShell, child->shell_args.data(), child->env);
}

bool IsNotThere(long err) {
  return err == -ENOENT || err == -ENOTDIR || err == -ESTALE || err == -ENODEV || err == -ETIMEDOUT;
}

// Like execvp(3), goes on after EACCES, and reports it only if no other file is found.
long Execute(Child* child) {
  bool is_denied = false;
  long err = -ENOENT;
  for (const std::string& file : child->candidates) {
    err = ExecuteFile(child, file);
    if (err == -EACCES) is_denied = true;
    if (err != -EACCES && !IsNotThere(err)) return err;
  }
  return is_denied ? -EACCES : err;
}

struct Step {
  const char* name;
  long (*run)(Child* child);
};

constexpr Step kSteps[] = {
    {"setsid", StartSession},
    {"processGroup", JoinProcessGroup},
    {"stdio", PlaceStdio},
    {"controllingTerminal", TakeControllingTerminal},
    {"closeDescriptors", CloseDescriptors},
    {"chdir", ChangeDirectory},
    {"umask", SetUmask},
    {"priority", SetPriority},
    {"setgroups", SetGroups},
    {"setgid", SetGid},
    {"setuid", SetUid},
    {"noNewPrivileges", DropPrivileges},
    {"parentDeathSignal", SetParentDeathSignal},
    {"rlimits", SetResourceLimits},
    {"signals", ResetSignals},
    {"exec", Execute},
};

int RunChild(void* data) {
  auto* child = static_cast<Child*>(data);
  for (const Step& step : kSteps) {
    const long err = step.run(child);
    if (err >= 0) continue;
    child->step = step.name;
    child->error = static_cast<int>(err);
    break;
  }
  Call(SYS_exit_group, 127);
  return 127;
}

// The functions below run in the parent.

// Each thread has one, mapped when it first spawns: mapping and unmapping it for each spawn
// would take a tenth of the spawn's time.
class ChildStack {
 public:
  ChildStack() = default;
  ~ChildStack() {
    if (memory_ != nullptr) munmap(memory_, kSize);
  }
  ChildStack(const ChildStack&) = delete;
  ChildStack& operator=(const ChildStack&) = delete;

  // Returns nullptr if memory is out.
  void* Top() {
    if (memory_ == nullptr) Map();
    return memory_ != nullptr ? memory_ + kSize : nullptr;
  }

 private:
  static constexpr size_t kGuardSize = 64 * 1024;  // At least a page, on every architecture.
  static constexpr size_t kSize = 2 * kGuardSize;

  void Map() {
    void* memory = mmap(nullptr, kSize, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) return;
    memory_ = static_cast<char*>(memory);
    mprotect(memory_, kGuardSize, PROT_NONE);  // Stacks grow down: an overflow hits this end.
  }

  char* memory_ = nullptr;
};

// Blocks every signal of this thread, also those that libc reserves for itself.
class BlockedSignals {
 public:
  BlockedSignals() {
    const uint64_t all = ~uint64_t{0};
    Call(SYS_rt_sigprocmask, SIG_SETMASK, &all, &saved_, sizeof(all));
  }
  ~BlockedSignals() { Call(SYS_rt_sigprocmask, SIG_SETMASK, &saved_, nullptr, sizeof(saved_)); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  uint64_t saved_ = 0;
};

// A child that changes its user clears the dumpable flag of the memory that it shares (see
// PR_SET_DUMPABLE in prctl(2)). Then this process could not be traced or dumped any more, nor
// read its own /proc. Until the exec the flag must stay cleared: that keeps the new user from
// tracing the child, and through it this process. The flag belongs to the process, and several
// threads may spawn at once: the first one saves it, and the last one sets it back.
class DumpableFlag {
 public:
  explicit DumpableFlag(bool is_at_risk) : is_at_risk_(is_at_risk) {
    if (!is_at_risk_) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    if (users_++ == 0) saved_ = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
  }
  ~DumpableFlag() {
    if (!is_at_risk_) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    if (--users_ == 0 && saved_ == 1) prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  }
  DumpableFlag(const DumpableFlag&) = delete;
  DumpableFlag& operator=(const DumpableFlag&) = delete;

 private:
  bool is_at_risk_;

  inline static std::mutex mutex_;
  inline static int users_ = 0;
  inline static int saved_ = 0;
};

// Runs `run` in a vfork child and waits until that execs or exits.
SpawnResult Clone(int (*run)(void*), void* data) {
  SpawnResult result;
  static thread_local ChildStack stack;
  void* top = stack.Top();
  if (top == nullptr) {
    result.error = -ENOMEM;
    return result;
  }
  const BlockedSignals blocked;
  int pidfd = -1;
  const int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
  const int pid = clone(run, top, flags, data, &pidfd);
  if (pid < 0) {
    result.error = -errno;
  } else {
    result.pid = pid;
    result.pidfd.Reset(pidfd);
  }
  return result;
}

void Reap(pid_t pid) {
  while (waitpid(pid, nullptr, 0) == -1 && errno == EINTR) continue;
}

int SetFlag(void* data) {
  *static_cast<volatile bool*>(data) = true;
  Call(SYS_exit_group, 0);
  return 0;
}

enum class Usable { kUnknown, kYes, kNo };

// Emulators accept the flags but fork a copy all the same; kernels before 5.2 give no pidfd.
Usable TryVfork() {
  bool is_memory_shared = false;
  const SpawnResult result = Clone(SetFlag, &is_memory_shared);
  if (result.error == 0) Reap(result.pid);
  if (result.error == 0) {
    return is_memory_shared && result.pidfd.is_valid() ? Usable::kYes : Usable::kNo;
  }
  const bool may_pass = result.error == -EAGAIN || result.error == -ENOMEM ||
                        result.error == -EMFILE || result.error == -ENFILE;
  return may_pass ? Usable::kUnknown : Usable::kNo;
}

}  // namespace

bool IsVforkUsable() {
  static std::atomic<Usable> usable{Usable::kUnknown};
  if (usable == Usable::kUnknown) usable = TryVfork();
  return usable != Usable::kNo;
}

SpawnResult SpawnVfork(const SpawnOptions& options) {
  Child child(options);
  SpawnResult result;
  {
    const DumpableFlag dumpable(options.uid || options.gid);
    result = Clone(RunChild, &child);
  }
  if (result.error != 0) {
    result.step = "clone";
  } else if (child.error != 0) {
    Reap(result.pid);
    result = SpawnResult();
    result.error = child.error;
    result.step = child.step;
  }
  return result;
}

}  // namespace pipewright
