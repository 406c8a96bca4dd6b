// What the two ends of the socket to a worker have in common. C++ alone sends and reads messages
// on it, so the methods that JavaScript has of other streams refuse.

#ifndef PIPEWRIGHT_SRC_CLUSTER_CONNECTION_SOCKET_H_
#define PIPEWRIGHT_SRC_CLUSTER_CONNECTION_SOCKET_H_

#include <napi.h>

#include "descriptors/message_writer.h"
#include "descriptors/polled_socket.h"

namespace pipewright {

class ConnectionSocket : public PolledSocket {
 protected:
  ConnectionSocket(Napi::Reference<Napi::Object>* object, CompletionQueue* queue)
      : PolledSocket(object, queue), writer_(this) {}

  // Takes the socket over. On failure it stays the caller's.
  int AdoptSocket(const Napi::CallbackInfo& info, int fd);
  // Nothing more comes. Notes it once.
  void OnEnd(int status);
  bool has_ended() const { return has_ended_; }
  void set_ended() { has_ended_ = true; }
  MessageWriter* writer() { return &writer_; }
  const MessageWriter* writer() const { return &writer_; }

 private:
  int StartReading() override { return UV_ENOTSUP; }
  int StopReading() override { return 0; }
  int Write(BytesToWrite) override { return UV_ENOTSUP; }
  int ShutDown() override { return UV_ENOTSUP; }
  size_t QueuedBytes() const override { return writer_.queued_bytes(); }

  MessageWriter writer_;
  bool has_ended_ = false;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CLUSTER_CONNECTION_SOCKET_H_
