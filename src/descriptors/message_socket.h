// The JavaScript handle of a Unix socket of any type, by sendmsg(2) and recvmsg(2): opening,
// polling, the methods that JavaScript calls, closing. A MessageReader receives and a
// MessageWriter sends.

#ifndef PIPEWRIGHT_SRC_DESCRIPTORS_MESSAGE_SOCKET_H_
#define PIPEWRIGHT_SRC_DESCRIPTORS_MESSAGE_SOCKET_H_

#include <napi.h>
#include <uv.h>

#include "descriptors/message_reader.h"
#include "descriptors/message_writer.h"
#include "descriptors/polled_socket.h"
#include "net/socket_file.h"

namespace pipewright {

class MessageSocket : public Napi::ObjectWrap<MessageSocket>, public PolledSocket {
 public:
  static Napi::Function Define(Napi::Env env, CompletionQueue* queue);

  explicit MessageSocket(const Napi::CallbackInfo& info);

  Napi::Value OpenFd(const Napi::CallbackInfo& info);
  Napi::Value Create(const Napi::CallbackInfo& info);
  Napi::Value Bind(const Napi::CallbackInfo& info);
  Napi::Value Connect(const Napi::CallbackInfo& info);
  Napi::Value Detach(const Napi::CallbackInfo& info);
  Napi::Value KeepFile(const Napi::CallbackInfo& info);
  Napi::Value RemoveFile(const Napi::CallbackInfo& info);

  // Receiving. readStart() receives the bytes of a stream, or the messages of other types;
  // receive() receives a number of descriptors and ignores the bytes.
  Napi::Value ReceiveDescriptors(const Napi::CallbackInfo& info);
  Napi::Value SetPlainBytes(const Napi::CallbackInfo& info);
  Napi::Value SetMaxDescriptors(const Napi::CallbackInfo& info);
  Napi::Value TakeDescriptors(const Napi::CallbackInfo& info);
  Napi::Value TakeMessages(const Napi::CallbackInfo& info);

  // Sending. Results are those of a ByteStream's writes. Descriptors come as an Int32Array.
  // They stay the caller's, which keeps them open until they are sent.
  Napi::Value WriteBuffer(const Napi::CallbackInfo& info);
  Napi::Value WriteBuffers(const Napi::CallbackInfo& info);
  Napi::Value Send(const Napi::CallbackInfo& info);
  Napi::Value SendDescriptors(const Napi::CallbackInfo& info);
  Napi::Value Counters(const Napi::CallbackInfo& info);

 protected:
  void BeforeClose() override;
  int StartReading() override;
  int StopReading() override;
  int Write(BytesToWrite bytes) override;
  int ShutDown() override;
  size_t QueuedBytes() const override { return writer_.queued_bytes(); }

 private:
  static void OnReady(uv_poll_t* poll, int status, int events);

  int Start(const Napi::CallbackInfo& info, UniqueFd* socket, bool keep_blocking);
  int ReadMessage(const Napi::CallbackInfo& info, uv_buf_t* bytes, OutgoingMessage* message);
  void UpdatePoll() override;

  MessageReader reader_;
  MessageWriter writer_;
  SocketFile file_;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_DESCRIPTORS_MESSAGE_SOCKET_H_
