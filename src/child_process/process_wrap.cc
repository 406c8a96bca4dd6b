#include "child_process/process_wrap.h"

#include <csignal>

#include "child_process/spawn_options.h"
#include "core/arguments.h"
#include "core/class_methods.h"

namespace pipewright {

Napi::Function ProcessWrap::Define(Napi::Env env, CompletionQueue* queue) {
  ClassMethods<ProcessWrap> methods;
  methods.AddHandle()
      .Add("spawn", &ProcessWrap::Start)
      .Add("failedStep", &ProcessWrap::FailedStep)
      .Add("pid", &ProcessWrap::Pid)
      .Add("kill", &ProcessWrap::Kill)
      .Add("resourceUsage", &ProcessWrap::ResourceUsage);
  return DefineClass(env, "ProcessWrap", methods.list(), queue);
}

ProcessWrap::ProcessWrap(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<ProcessWrap>(info),
      HandleWrap(this, static_cast<CompletionQueue*>(info.Data()), &watcher_.handle) {}

Napi::Value ProcessWrap::Start(const Napi::CallbackInfo& info) {
  SpawnOptions options;
  if (!options.Read(info[0], info[1])) return Result(info, UV_EINVAL);
  if (!is_unopened()) return Result(info, UV_EBUSY);
  const int err = child_.Start(options);
  if (err != 0) return Result(info, err);
  return Result(info, Watch(info));
}

int ProcessWrap::Watch(const Napi::CallbackInfo& info) {
  int err;
  if (child_.pidfd() >= 0) {
    err = Open(info, [this](uv_loop_t* loop) {
      return uv_poll_init(loop, &watcher_.poll, child_.pidfd());
    });
    if (err == 0) err = uv_poll_start(&watcher_.poll, UV_READABLE, OnPidfdReadable);
  } else {
    err = Open(info, [this](uv_loop_t* loop) { return uv_signal_init(loop, &watcher_.signal); });
    if (err == 0) err = uv_signal_start(&watcher_.signal, OnChildSignal, SIGCHLD);
    if (err == 0) NoteExit();  // The signal may have come before we listened.
  }
  if (err == 0) return 0;
  // If the child cannot be watched (epoll is out of memory), kill and reap it, and fail the
  // spawn.
  child_.KillAndReap();
  Close();
  return err;
}

void ProcessWrap::OnPidfdReadable(uv_poll_t* poll, int, int) {
  auto* handle = HandleWrap::From(reinterpret_cast<const uv_handle_t*>(poll));
  static_cast<ProcessWrap*>(handle)->NoteExit();
}

void ProcessWrap::OnChildSignal(uv_signal_t* signal, int) {
  auto* handle = HandleWrap::From(reinterpret_cast<const uv_handle_t*>(signal));
  static_cast<ProcessWrap*>(handle)->NoteExit();
}

void ProcessWrap::NoteExit() {
  if (!child_.Reap()) return;
  StopWatching();
  queue()->NoteLast(this, EventKind::kExit, child_.exit_code(), child_.exit_signal());
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
  child_.Abandon();
}

Napi::Value ProcessWrap::FailedStep(const Napi::CallbackInfo& info) {
  const char* step = child_.failed_step();
  if (step == nullptr) return info.Env().Undefined();
  return Napi::String::New(info.Env(), step);
}

Napi::Value ProcessWrap::Pid(const Napi::CallbackInfo& info) { return Result(info, child_.pid()); }

Napi::Value ProcessWrap::GetFd(const Napi::CallbackInfo& info) {
  return Result(info, is_open() ? child_.pidfd() : UV_EBADF);
}

Napi::Value ProcessWrap::Kill(const Napi::CallbackInfo& info) {
  int signal;
  if (!ToInt32(info[0], &signal)) return Result(info, UV_EINVAL);
  return Result(info, child_.Signal(signal));
}

Napi::Value ProcessWrap::ResourceUsage(const Napi::CallbackInfo& info) {
  return child_.ResourceUsage(info.Env());
}

}  // namespace pipewright
