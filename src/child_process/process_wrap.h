// A child process on the loop: starts and signals it, and reports its exit after all reads of
// its output.

#ifndef PIPEWRIGHT_SRC_CHILD_PROCESS_PROCESS_WRAP_H_
#define PIPEWRIGHT_SRC_CHILD_PROCESS_PROCESS_WRAP_H_

#include <napi.h>
#include <uv.h>

#include "child_process/child_process.h"
#include "core/handle_wrap.h"

namespace pipewright {

class ProcessWrap : public Napi::ObjectWrap<ProcessWrap>, public HandleWrap {
 public:
  static Napi::Function Define(Napi::Env env, CompletionQueue* queue);

  explicit ProcessWrap(const Napi::CallbackInfo& info);

  // Methods for JavaScript; see docs/binding.md.
  Napi::Value Start(const Napi::CallbackInfo& info);
  Napi::Value FailedStep(const Napi::CallbackInfo& info);
  Napi::Value Pid(const Napi::CallbackInfo& info);
  Napi::Value GetFd(const Napi::CallbackInfo& info);  // The pidfd; -1 if there is none.
  Napi::Value Kill(const Napi::CallbackInfo& info);
  Napi::Value ResourceUsage(const Napi::CallbackInfo& info);

 protected:
  void BeforeClose() override;

 private:
  static void OnPidfdReadable(uv_poll_t* poll, int status, int events);
  static void OnChildSignal(uv_signal_t* signal, int number);

  int Watch(const Napi::CallbackInfo& info);
  void StopWatching();
  void NoteExit();

  // Polls the pidfd. If there is none, each SIGCHLD is a reason to look at the child.
  union {
    uv_handle_t handle;
    uv_poll_t poll;
    uv_signal_t signal;
  } watcher_;
  ChildProcess child_;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CHILD_PROCESS_PROCESS_WRAP_H_
