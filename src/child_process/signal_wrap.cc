#include "child_process/signal_wrap.h"

#include "core/arguments.h"
#include "core/class_methods.h"

namespace pipewright {

Napi::Function SignalWrap::Define(Napi::Env env, CompletionQueue* queue) {
  ClassMethods<SignalWrap> methods;
  methods.AddHandle().Add("start", &SignalWrap::Start).Add("stop", &SignalWrap::Stop);
  return DefineClass(env, "SignalWrap", methods.list(), queue);
}

SignalWrap::SignalWrap(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<SignalWrap>(info),
      HandleWrap(this, static_cast<CompletionQueue*>(info.Data()),
                 reinterpret_cast<uv_handle_t*>(&signal_)) {}

// If it is started already, it watches the new signal instead.
Napi::Value SignalWrap::Start(const Napi::CallbackInfo& info) {
  int number;
  if (!ToInt32(info[0], &number) || number < 0) return Result(info, UV_EINVAL);
  if (is_unopened()) {
    const int err = Open(info, [this](uv_loop_t* loop) { return uv_signal_init(loop, &signal_); });
    if (err != 0) return Result(info, err);
  }
  if (!is_open()) return Result(info, UV_EBADF);
  return Result(info, uv_signal_start(&signal_, OnSignal, number));
}

void SignalWrap::OnSignal(uv_signal_t* signal, int number) {
  auto* self =
      static_cast<SignalWrap*>(HandleWrap::From(reinterpret_cast<const uv_handle_t*>(signal)));
  self->Note(EventKind::kSignal, number);
}

// Signals that have arrived but were not delivered yet are dropped too.
Napi::Value SignalWrap::Stop(const Napi::CallbackInfo& info) {
  if (!is_open()) return Result(info, UV_EBADF);
  queue()->Void(this);
  return Result(info, uv_signal_stop(&signal_));
}

}  // namespace pipewright
