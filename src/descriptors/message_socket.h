// A Unix socket of any type on a uv_poll_t, by sendmsg(2) and recvmsg(2): bytes,
// descriptors and credentials.
//
// Receiving loses nothing at a full table of descriptors. A message is first looked at
// (MSG_PEEK), which puts copies of its descriptors into the table and leaves it queued.
// If all came, exactly the bytes seen are taken with no room for descriptors, so that
// the kernel drops its own; if not, the copies are closed and it is tried again later.
//
//   readable -> Look -> all came ----------> take the bytes, note what came
//                    -> table full --------> wait: 50 ms, then each 500 ms, or until
//                                            a descriptor of ours is closed
//                    -> can never come ----> the stream ends with an error
//
// What to look for, in a stream: the look goes on past plain messages up to and with
// the first one that has descriptors, and past the end of its room too, without a byte
// of that message. See TakeFullRoom().

#ifndef PIPEWRIGHT_SRC_DESCRIPTORS_MESSAGE_SOCKET_H_
#define PIPEWRIGHT_SRC_DESCRIPTORS_MESSAGE_SOCKET_H_

#include <napi.h>
#include <uv.h>

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "core/loop_timer.h"
#include "core/table_waiter.h"
#include "core/unique_fd.h"
#include "descriptors/ancillary.h"
#include "descriptors/outgoing_message.h"
#include "net/byte_stream.h"
#include "net/socket_file.h"

namespace pipewright {

class MessageSocket : public Napi::ObjectWrap<MessageSocket>, public ByteStream {
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

  // Receiving. One of: bytes as events, as a stream's (readStart), so many descriptors
  // whose bytes do not matter (receive), or messages (readStart, on other types).
  Napi::Value ReceiveDescriptors(const Napi::CallbackInfo& info);
  Napi::Value SetPlainBytes(const Napi::CallbackInfo& info);
  Napi::Value SetMaxDescriptors(const Napi::CallbackInfo& info);
  Napi::Value TakeDescriptors(const Napi::CallbackInfo& info);
  Napi::Value TakeMessages(const Napi::CallbackInfo& info);

  // Sending. Results are those of a ByteStream's writes. Descriptors come as an Int32Array;
  // they stay the caller's, and must stay open until they were sent.
  Napi::Value WriteBuffer(const Napi::CallbackInfo& info);
  Napi::Value WriteBuffers(const Napi::CallbackInfo& info);
  Napi::Value Send(const Napi::CallbackInfo& info);
  Napi::Value PassDescriptorsOn(const Napi::CallbackInfo& info);
  Napi::Value LocalName(const Napi::CallbackInfo& info);
  Napi::Value Counters(const Napi::CallbackInfo& info);

 protected:
  void BeforeClose() override;
  int StartReading() override;
  int StopReading() override;
  int Write(BytesToWrite bytes) override;
  int ShutDown() override;
  size_t QueuedBytes() const override { return outgoing_size_; }

 private:
  enum class Mode { kBytes, kDescriptors, kMessages };

  struct Message {
    std::string bytes;
    std::vector<int> descriptors;
    std::string sender;
    bool has_credentials;
    ucred credentials;
  };

  // What one turn receives at the most, so that a flood leaves room for others.
  static constexpr int kMaxMessagesPerTurn = 64;

  static void OnReady(uv_poll_t* poll, int status, int events);

  int Start(const Napi::CallbackInfo& info, UniqueFd* socket, bool keep_blocking);
  void UpdatePoll();
  bool HasPollRef() const;
  void SendLater();

  bool wants_message() const { return is_reading_ && (mode_ != Mode::kDescriptors || credit_ > 0); }
  void ReceiveSome();
  bool ReceiveOne();
  bool ReceiveBytes();
  bool ReceivePlainBytes(const uv_buf_t& room);
  bool ReceiveForDescriptors();
  bool ReceiveMessage();
  void NoteReceived();
  void EndReading(int err);
  bool HasBytes(ssize_t result);
  size_t TakeStream(uv_buf_t room, PeekedMessage* message);
  ssize_t TakeFullRoom(const uv_buf_t& room, PeekedMessage* message);
  size_t TakeUnseen(const uv_buf_t& room, PeekedMessage* message);
  size_t TakePlain(const uv_buf_t& room, PeekedMessage* message);
  bool RestorePeekOffset();
  bool RestoreCredentials();
  bool IsComplete(const PeekedMessage& message);
  void WaitForTable();
  void Discard(PeekedMessage* message);

  int Enqueue(OutgoingMessage message, BytesToWrite bytes);
  bool KeepMemory(OutgoingMessage* message, const BytesToWrite& bytes);
  int PassOn(const int* descriptors, size_t count);
  bool SendQueued();
  void Report(const OutgoingMessage& message, int status);
  void NoteSent();
  void FailQueued(int err);
  void FinishShutdown();

  uv_poll_t poll_;
  LoopTimer send_timer_;
  TableWaiter table_waiter_;
  UniqueFd socket_;
  SocketFile file_;
  int type_ = 0;  // SOCK_*
  int polled_ = 0;

  Mode mode_ = Mode::kBytes;
  bool is_reading_ = false;
  int32_t credit_ = 0;        // Of kDescriptors: how many are wanted.
  uint64_t plain_bytes_ = 0;  // So many bytes are known to have no descriptors.
  size_t max_descriptors_ = kMaxDescriptorsPerMessage;
  std::deque<std::vector<int>> received_;  // Of kBytes and kDescriptors, not yet taken.
  std::vector<Message> messages_;
  int32_t unnoted_ = 0;

  bool has_polled_ = false;    // poll(2) says that there is something to look at.
  int hopeless_attempts_ = 0;  // Waits for room when nothing open was left to be closed.

  std::deque<OutgoingMessage> outgoing_;
  size_t outgoing_size_ = 0;
  bool waits_to_send_ = false;
  uint64_t send_delay_ = 1;
  int32_t sent_ = 0;     // Not yet noted.
  int failed_part_ = 0;  // Why a message of which a part was Report::kNext failed.
  bool shuts_down_ = false;

  uint64_t descriptors_read_ = 0;
  uint64_t descriptors_written_ = 0;
  uint64_t table_waits_ = 0;
  uint64_t send_waits_ = 0;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_DESCRIPTORS_MESSAGE_SOCKET_H_
