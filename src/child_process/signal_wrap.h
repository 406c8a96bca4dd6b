// A uv_signal_t, which watches one signal, in any thread.

#ifndef PIPEWRIGHT_SRC_CHILD_PROCESS_SIGNAL_WRAP_H_
#define PIPEWRIGHT_SRC_CHILD_PROCESS_SIGNAL_WRAP_H_

#include <napi.h>
#include <uv.h>

#include "core/handle_wrap.h"

namespace pipewright {

class SignalWrap : public Napi::ObjectWrap<SignalWrap>, public HandleWrap {
 public:
  static Napi::Function Define(Napi::Env env, CompletionQueue* queue);

  explicit SignalWrap(const Napi::CallbackInfo& info);

  Napi::Value Start(const Napi::CallbackInfo& info);
  Napi::Value Stop(const Napi::CallbackInfo& info);

 private:
  static void OnSignal(uv_signal_t* signal, int number);

  uv_signal_t signal_;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CHILD_PROCESS_SIGNAL_WRAP_H_
