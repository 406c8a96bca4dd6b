// A listening socket, Unix or TCP, on a uv_poll_t. It does not use uv_listen(), which
// closes clients when the descriptor table is full. A Listener reports the overload and
// stops accepting until there is room; the clients wait in the kernel's backlog.

#ifndef PIPEWRIGHT_SRC_NET_LISTENER_H_
#define PIPEWRIGHT_SRC_NET_LISTENER_H_

#include <napi.h>
#include <uv.h>

#include "core/handle_wrap.h"
#include "core/table_waiter.h"
#include "core/unique_fd.h"
#include "net/socket_file.h"

namespace pipewright {

class Listener : public Napi::ObjectWrap<Listener>, public HandleWrap {
 public:
  static Napi::Function Define(Napi::Env env, CompletionQueue* queue);

  explicit Listener(const Napi::CallbackInfo& info);

  Napi::Value ListenOnPath(const Napi::CallbackInfo& info);
  Napi::Value ListenOnAddress(const Napi::CallbackInfo& info);
  Napi::Value ListenOnFd(const Napi::CallbackInfo& info);
  Napi::Value Accept(const Napi::CallbackInfo& info);
  Napi::Value Reject(const Napi::CallbackInfo& info);
  Napi::Value KeepFile(const Napi::CallbackInfo& info);
  Napi::Value RemoveFile(const Napi::CallbackInfo& info);
  Napi::Value LocalAddress(const Napi::CallbackInfo& info);

 protected:
  void BeforeClose() override;

 private:
  // One turn accepts no more than these, so that a flood of clients leaves time for the
  // connections that are open.
  static constexpr int kMaxAcceptsPerTurn = 64;

  static void OnReadable(uv_poll_t* poll, int status, int events);

  int Start(const Napi::CallbackInfo& info, int fd);
  void OnError(int err);

  uv_poll_t poll_;
  UniqueFd socket_;
  SocketFile file_;
  TableWaiter table_waiter_;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_NET_LISTENER_H_
