// A Unix socket on a uv_poll_t: its descriptor, its type and what it is polled for.
// MessageReader and MessageWriter use it; MessageSocket is the leaf.

#ifndef PIPEWRIGHT_SRC_DESCRIPTORS_POLLED_SOCKET_H_
#define PIPEWRIGHT_SRC_DESCRIPTORS_POLLED_SOCKET_H_

#include <napi.h>
#include <uv.h>

#include "core/unique_fd.h"
#include "net/byte_stream.h"

namespace pipewright {

class PolledSocket : public ByteStream {
 public:
  int fd() const { return socket_.get(); }
  int type() const { return type_; }  // SOCK_*
  bool is_stream() const { return type_ == SOCK_STREAM; }
  // Reports whether the handle keeps the loop alive; timers that stand in for it do the same.
  bool has_ref() const { return uv_has_ref(reinterpret_cast<const uv_handle_t*>(&poll_)) != 0; }
  Environment* environment() const { return queue()->environment(); }

  // Polls for what the reader and the writer wait for now.
  virtual void UpdatePoll() = 0;

  using ByteStream::CountRead;
  using ByteStream::CountWritten;
  using ByteStream::Note;
  using ByteStream::NoteBytes;
  using ByteStream::Room;

 protected:
  PolledSocket(Napi::Reference<Napi::Object>* object, CompletionQueue* queue)
      : ByteStream(object, queue, reinterpret_cast<uv_handle_t*>(&poll_)) {}

  // Takes the socket over. On failure it stays the caller's.
  int OpenSocket(const Napi::CallbackInfo& info, UniqueFd* socket, bool keep_blocking);
  void Poll(int events, uv_poll_cb on_ready);
  // Returns the events to handle for the arguments of a uv_poll_cb.
  int ReadyEvents(int status, int events);
  // Stops polling and gives the descriptor up.
  UniqueFd StopAndRelease();

 private:
  uv_poll_t poll_;
  UniqueFd socket_;
  int type_ = 0;
  int polled_ = 0;
};

// Failures are ignored: older kernels lack some options.
void SetSocketOption(int fd, int name, int value);

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_DESCRIPTORS_POLLED_SOCKET_H_
