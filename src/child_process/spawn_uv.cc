// The other engine: libuv's fork and exec. It runs on a loop of its own, which is closed before
// SpawnUv() returns. So the child's exit is watched and reaped as with the vfork engine.

#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <vector>

#include "child_process/spawn.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

namespace pipewright {

namespace {

std::vector<uv_stdio_container_t> Containers(const std::vector<int>& stdio) {
  std::vector<uv_stdio_container_t> containers(stdio.size());
  for (size_t i = 0; i < stdio.size(); ++i) {
    containers[i].flags = stdio[i] >= 0 ? UV_INHERIT_FD : UV_IGNORE;
    containers[i].data.fd = stdio[i];
  }
  return containers;
}

int SpawnOn(uv_loop_t* loop, const SpawnOptions& options, pid_t* pid) {
  std::vector<uv_stdio_container_t> stdio = Containers(options.stdio);
  uv_process_options_t uv_options{};
  uv_options.file = options.file.c_str();
  uv_options.args = const_cast<char**>(options.args.data());
  uv_options.env = options.env ? const_cast<char**>(options.env->data()) : nullptr;
  uv_options.cwd = options.cwd ? options.cwd->c_str() : nullptr;
  uv_options.stdio = stdio.data();
  uv_options.stdio_count = static_cast<int>(stdio.size());
  if (options.detached) uv_options.flags |= UV_PROCESS_DETACHED;
  if (options.uid) uv_options.flags |= UV_PROCESS_SETUID;
  if (options.gid) uv_options.flags |= UV_PROCESS_SETGID;
  uv_options.uid = options.uid.value_or(0);
  uv_options.gid = options.gid.value_or(0);
  uv_process_t process;
  const int err = uv_spawn(loop, &process, &uv_options);
  *pid = process.pid;
  // libuv needs this after a failure too. It also makes libuv forget the child, which
  // ChildProcess reaps.
  uv_close(reinterpret_cast<uv_handle_t*>(&process), nullptr);
  uv_run(loop, UV_RUN_DEFAULT);
  return err;
}

// Checks that there is room for the descriptors that a loop and uv_spawn() open: if
// uv_loop_init() fails half-way, it leaves its epoll descriptor open (libuv 1.46 to 1.52).
int CheckDescriptors() {
  UniqueFd fds[8];
  for (UniqueFd& fd : fds) {
    fd.Reset(eventfd(0, EFD_CLOEXEC));
    if (!fd.is_valid()) return -errno;
  }
  return 0;
}

}  // namespace

SpawnResult SpawnUv(const SpawnOptions& options) {
  SpawnResult result;
  uv_loop_t loop;
  result.error = CheckDescriptors();
  if (result.error == 0) result.error = uv_loop_init(&loop);
  if (result.error != 0) return result;
  result.error = SpawnOn(&loop, options, &result.pid);
  uv_loop_close(&loop);
  if (result.error == 0) {
    result.pidfd.Reset(static_cast<int>(syscall(SYS_pidfd_open, result.pid, 0)));
  } else {
    result.pid = 0;
  }
  return result;
}

}  // namespace pipewright
