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

class Listener;

// Takes what a Listener accepts, in place of JavaScript.
class ConnectionSink {
 public:
  // Reports whether it takes one more connection. If not, it calls Listener::Resume() later.
  virtual bool HasRoom() = 0;
  virtual void OnAccepted(const Listener* listener, UniqueFd connection) = 0;
  // The listener has accepted all that it does in this turn.
  virtual void OnAcceptedAll() = 0;
  virtual void OnListenerClosed(Listener* listener) = 0;

 protected:
  ~ConnectionSink() = default;
};

class Listener : public Napi::ObjectWrap<Listener>, public HandleWrap {
 public:
  static Napi::Function Define(Napi::Env env, CompletionQueue* queue);

  explicit Listener(const Napi::CallbackInfo& info);

  Napi::Value ListenOnPath(const Napi::CallbackInfo& info);
  Napi::Value ListenOnAddress(const Napi::CallbackInfo& info);
  Napi::Value ListenOnFd(const Napi::CallbackInfo& info);
  Napi::Value ListenOnShared(const Napi::CallbackInfo& info);
  Napi::Value Accept(const Napi::CallbackInfo& info);
  Napi::Value Reject(const Napi::CallbackInfo& info);
  Napi::Value KeepFile(const Napi::CallbackInfo& info);
  Napi::Value RemoveFile(const Napi::CallbackInfo& info);
  Napi::Value GetFile(const Napi::CallbackInfo& info);
  Napi::Value OwnFile(const Napi::CallbackInfo& info);
  Napi::Value LocalAddress(const Napi::CallbackInfo& info);

  int fd() const { return socket_.get(); }
  // Returns the Listener of that object, or nullptr if it is none.
  static Listener* FromObject(const Napi::Value& value);
  // From now on connections go to `sink`; with nullptr, to JavaScript again. UV_EBADF if it is
  // not open, UV_EBUSY if it has a sink already.
  int SetSink(ConnectionSink* sink);
  // Accepts what waits in the backlog, whether the sink has room or not. To be called before it
  // closes, and after the socket's file is removed: then no client is left out on a path.
  void AcceptRest();
  // Accepts again, after HasRoom() of the sink has said no.
  void Resume();

 protected:
  void BeforeClose() override;

 private:
  // One turn accepts no more than these, so that a flood of clients leaves time for the
  // connections that are open.
  static constexpr int kMaxAcceptsPerTurn = 64;
  // As many as a backlog has by default (net.core.somaxconn): clients may come faster than they
  // are accepted.
  static constexpr int kMaxRest = 4096;

  static void OnReadable(uv_poll_t* poll, int status, int events);

  int Start(const Napi::CallbackInfo& info, int fd);
  int Poll() { return uv_poll_start(&poll_, UV_READABLE, OnReadable); }
  void AcceptSome();
  void Deliver(int fd);
  void OnError(int err);

  uv_poll_t poll_;
  UniqueFd socket_;
  SocketFile file_;
  TableWaiter table_waiter_;
  ConnectionSink* sink_ = nullptr;
  bool is_held_ = false;  // The sink has no room.
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_NET_LISTENER_H_
