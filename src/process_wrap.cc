#include "process_wrap.h"

#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <utility>

#include "arguments.h"
#include "spawn.h"
#include "spawn_options.h"

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

namespace pipewright {

namespace {

constexpr napi_type_tag kTypeTag = {0x6f2d5a0c7e1b4c39, 0x9b1e4d7702f64a85};

// linux/pidfd.h of 6.15, which few distributions have yet.
struct PidfdInfo {
  uint64_t mask;
  uint64_t unused_cgroup;
  uint32_t unused_ids[11];
  int32_t exit_code;
};
constexpr uint64_t kPidfdInfoExit = 1 << 3;
constexpr unsigned long kPidfdGetInfo = _IOWR(0xff, 11, PidfdInfo);

// The status of a child that somebody else has reaped. False where the kernel does
// not keep it.
bool FindStolenStatus(int pidfd, int* status) {
  PidfdInfo info{};
  info.mask = kPidfdInfoExit;
  if (ioctl(pidfd, kPidfdGetInfo, &info) != 0 || (info.mask & kPidfdInfoExit) == 0) return false;
  *status = info.exit_code;
  return true;
}

double Microseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
}

}  // namespace

Napi::Function ProcessWrap::Define(Napi::Env env, CompletionQueue* queue) {
  return DefineClass(env, "ProcessWrap",
                     {
                         InstanceMethod("spawn", &ProcessWrap::Start),
                         InstanceMethod("failedStep", &ProcessWrap::FailedStep),
                         InstanceMethod("pid", &ProcessWrap::Pid),
                         InstanceMethod("getFd", &ProcessWrap::Pidfd),
                         InstanceMethod("kill", &ProcessWrap::Kill),
                         InstanceMethod("resourceUsage", &ProcessWrap::ResourceUsage),
                         InstanceMethod("close", &ProcessWrap::CloseHandle),
                         InstanceMethod("ref", &ProcessWrap::RefHandle),
                         InstanceMethod("unref", &ProcessWrap::UnrefHandle),
                         InstanceMethod("hasRef", &ProcessWrap::HasRef),
                     },
                     queue);
}

ProcessWrap* ProcessWrap::From(const Napi::Value& value) {
  bool is_ours = false;
  if (!value.IsObject()) return nullptr;
  if (napi_check_object_type_tag(value.Env(), value, &kTypeTag, &is_ours) != napi_ok || !is_ours) {
    return nullptr;
  }
  return Unwrap(value.As<Napi::Object>());
}

ProcessWrap::ProcessWrap(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<ProcessWrap>(info),
      HandleWrap(static_cast<CompletionQueue*>(info.Data()), &watcher_.handle) {
  napi_type_tag_object(info.Env(), info.This(), &kTypeTag);
}

Napi::Value ProcessWrap::Start(const Napi::CallbackInfo& info) {
  SpawnOptions options;
  if (!options.Read(info[0])) return Result(info, UV_EINVAL);
  if (!is_unopened()) return Result(info, UV_EBUSY);
  SpawnResult child = Spawn(options);
  failed_step_ = child.step;
  if (child.error != 0) return Result(info, child.error);
  pid_ = child.pid;
  pidfd_ = std::move(child.pidfd);
  is_running_ = true;
  const int err = Watch(info);
  // A child that cannot be watched (epoll is out of memory) is none.
  if (err != 0) {
    kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) == -1 && errno == EINTR) continue;
    is_running_ = false;
    pidfd_.Reset();
    pid_ = 0;
  }
  return Result(info, err);
}

int ProcessWrap::Watch(const Napi::CallbackInfo& info) {
  int err;
  if (pidfd_.is_valid()) {
    err = Open(
        info, [this](uv_loop_t* loop) { return uv_poll_init(loop, &watcher_.poll, pidfd_.get()); });
    if (err == 0) err = uv_poll_start(&watcher_.poll, UV_READABLE, OnPidfdReadable);
  } else {
    err = Open(info, [this](uv_loop_t* loop) { return uv_signal_init(loop, &watcher_.signal); });
    if (err == 0) err = uv_signal_start(&watcher_.signal, OnChildSignal, SIGCHLD);
    if (err == 0) Reap();  // It may have come before we listened.
  }
  if (err != 0) Close();
  return err;
}

void ProcessWrap::OnPidfdReadable(uv_poll_t* poll, int, int) {
  static_cast<ProcessWrap*>(HandleWrap::From(reinterpret_cast<const uv_handle_t*>(poll)))->Reap();
}

void ProcessWrap::OnChildSignal(uv_signal_t* signal, int) {
  static_cast<ProcessWrap*>(HandleWrap::From(reinterpret_cast<const uv_handle_t*>(signal)))->Reap();
}

void ProcessWrap::Reap() {
  int status = 0;
  rusage usage;
  const pid_t reaped = wait4(pid_, &status, WNOHANG, &usage);
  if (reaped == 0) return;
  is_running_ = false;
  StopWatching();
  bool is_known = reaped == pid_;
  if (is_known) {
    usage_ = usage;
  } else {
    is_known = pidfd_.is_valid() && FindStolenStatus(pidfd_.get(), &status);
  }
  const int code = is_known && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  const int signal = is_known && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  queue()->NoteLast(this, EventKind::kExit, code, signal);
}

void ProcessWrap::StopWatching() {
  if (watcher_.handle.type == UV_POLL) {
    uv_poll_stop(&watcher_.poll);
  } else {
    uv_signal_stop(&watcher_.signal);
  }
}

void ProcessWrap::BeforeClose() {
  StopWatching();
  pidfd_.Reset();
}

Napi::Value ProcessWrap::FailedStep(const Napi::CallbackInfo& info) {
  if (failed_step_ == nullptr) return info.Env().Undefined();
  return Napi::String::New(info.Env(), failed_step_);
}

Napi::Value ProcessWrap::Pid(const Napi::CallbackInfo& info) { return Result(info, pid_); }

Napi::Value ProcessWrap::Pidfd(const Napi::CallbackInfo& info) {
  if (!is_open()) return Result(info, UV_EBADF);
  return Result(info, pidfd_.get());
}

// A pid is nobody else's before it was reaped, and then it is not signalled any more.
Napi::Value ProcessWrap::Kill(const Napi::CallbackInfo& info) {
  int signal;
  if (!ToInt32(info[0], &signal)) return Result(info, UV_EINVAL);
  if (!is_running_) return Result(info, UV_ESRCH);
  const long result = pidfd_.is_valid()
                          ? syscall(SYS_pidfd_send_signal, pidfd_.get(), signal, nullptr, 0)
                          : kill(pid_, signal);
  return Result(info, result == 0 ? 0 : -errno);
}

// As process.resourceUsage(), but maxRSS in bytes. undefined until the exit, and where
// somebody else has reaped the child.
Napi::Value ProcessWrap::ResourceUsage(const Napi::CallbackInfo& info) {
  if (!usage_) return info.Env().Undefined();
  auto result = Napi::Object::New(info.Env());
  const auto set = [&](const char* name, double value) { result.Set(name, value); };
  set("userCPUTime", Microseconds(usage_->ru_utime));
  set("systemCPUTime", Microseconds(usage_->ru_stime));
  set("maxRSS", static_cast<double>(usage_->ru_maxrss) * 1024);
  set("minorPageFault", static_cast<double>(usage_->ru_minflt));
  set("majorPageFault", static_cast<double>(usage_->ru_majflt));
  set("fsRead", static_cast<double>(usage_->ru_inblock));
  set("fsWrite", static_cast<double>(usage_->ru_oublock));
  set("voluntaryContextSwitches", static_cast<double>(usage_->ru_nvcsw));
  set("involuntaryContextSwitches", static_cast<double>(usage_->ru_nivcsw));
  return result;
}

}  // namespace pipewright
