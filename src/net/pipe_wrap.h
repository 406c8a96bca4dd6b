// A uv_pipe_t: a connected Unix stream socket, a FIFO or a pipe(7). For listening
// see listener.h.

#ifndef PIPEWRIGHT_SRC_NET_PIPE_WRAP_H_
#define PIPEWRIGHT_SRC_NET_PIPE_WRAP_H_

#include <napi.h>
#include <uv.h>

#include "net/stream_wrap.h"

namespace pipewright {

class PipeWrap : public Napi::ObjectWrap<PipeWrap>, public StreamWrap {
 public:
  static Napi::Function Define(Napi::Env env, CompletionQueue* queue);

  explicit PipeWrap(const Napi::CallbackInfo& info);

  Napi::Value OpenFd(const Napi::CallbackInfo& info);
  Napi::Value Connect(const Napi::CallbackInfo& info);

 private:
  int OpenPipe(const Napi::CallbackInfo& info);
  int Fd() const;

  uv_pipe_t pipe_;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_NET_PIPE_WRAP_H_
