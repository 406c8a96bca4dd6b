// A listening socket, Unix or TCP, on a uv_poll_t. Not on uv_listen(), which closes
// clients unasked when the descriptor table is full: this one stops accepting until
// there is room and says so, and the clients wait in the kernel's backlog.

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
  // What one turn accepts at the most, so that a flood of clients leaves room for
  // the connections that are there.
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
