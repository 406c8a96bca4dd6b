// A uv_tcp_t: a connected TCP socket. For listening see listener.h.

#ifndef PIPEWRIGHT_SRC_NET_TCP_WRAP_H_
#define PIPEWRIGHT_SRC_NET_TCP_WRAP_H_

#include <napi.h>
#include <uv.h>

#include "net/stream_wrap.h"

namespace pipewright {

class TcpWrap : public Napi::ObjectWrap<TcpWrap>, public StreamWrap {
 public:
  static Napi::Function Define(Napi::Env env, CompletionQueue* queue);

  explicit TcpWrap(const Napi::CallbackInfo& info);

  Napi::Value OpenFd(const Napi::CallbackInfo& info);
  Napi::Value Bind(const Napi::CallbackInfo& info);
  Napi::Value Connect(const Napi::CallbackInfo& info);
  Napi::Value LocalAddress(const Napi::CallbackInfo& info);
  Napi::Value RemoteAddress(const Napi::CallbackInfo& info);
  Napi::Value SetNoDelay(const Napi::CallbackInfo& info);
  Napi::Value SetKeepAlive(const Napi::CallbackInfo& info);
  Napi::Value SetTypeOfService(const Napi::CallbackInfo& info);
  Napi::Value GetTypeOfService(const Napi::CallbackInfo& info);
  Napi::Value Reset(const Napi::CallbackInfo& info);

 private:
  static void OnConnect(uv_connect_t* request, int status);

  int OpenTcp(const Napi::CallbackInfo& info);
  int Fd() const;

  uv_tcp_t tcp_;
  uv_connect_t connect_request_;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_NET_TCP_WRAP_H_
