// The sending side of a MessageSocket: sends at once what the kernel takes, and queues the rest
// until the socket is writable, or until a timer fires if poll(2) cannot report that.

#ifndef PIPEWRIGHT_SRC_DESCRIPTORS_MESSAGE_WRITER_H_
#define PIPEWRIGHT_SRC_DESCRIPTORS_MESSAGE_WRITER_H_

#include <cstdint>
#include <deque>

#include "core/loop_timer.h"
#include "descriptors/outgoing_message.h"
#include "descriptors/polled_socket.h"

namespace pipewright {

class MessageWriter {
 public:
  explicit MessageWriter(PolledSocket* socket);

  // Sends or queues `message` with `bytes`. Returns 0 if all is sent, 1 if it is queued, or
  // the error of a send at once. Errors of queued messages become events.
  int Enqueue(OutgoingMessage message, BytesToWrite bytes);
  // Sends messages of at most `batch` descriptors, each descriptor with a NUL byte. Returns
  // how many descriptors the kernel took at once; events report the others, in order.
  size_t SendDescriptors(const int* descriptors, size_t count, size_t batch);
  // Sends what is queued, until the kernel takes no more.
  void SendQueued();
  // Shuts the sending side down once the queue is empty.
  void ShutDown();
  // Stops for good; queued messages fail with ECANCELED.
  void Close();

  bool is_idle() const { return outgoing_.empty(); }
  bool wants_to_write() const { return !outgoing_.empty() && !waits_to_send_; }
  size_t queued_bytes() const { return outgoing_size_; }
  size_t queued_messages() const { return outgoing_.size(); }
  uint64_t descriptors_written() const { return descriptors_written_; }
  uint64_t send_waits() const { return send_waits_; }

 private:
  bool KeepMemory(OutgoingMessage* message, const BytesToWrite& bytes);
  static bool HasMemory(const OutgoingMessage& message);
  int SendBatch(const int* descriptors, size_t count);
  void ReportEnd(const OutgoingMessage& message, int status);
  void NoteSent();
  void FailQueued(int err);
  void FinishShutdown();

  PolledSocket* socket_;  // Owns this writer.
  LoopTimer send_timer_;
  std::deque<OutgoingMessage> outgoing_;
  size_t outgoing_size_ = 0;
  bool waits_to_send_ = false;  // For send_timer_.
  uint64_t send_delay_ = 1;     // Milliseconds.
  int32_t sent_ = 0;            // Messages sent since the last kSent event.
  int failed_part_ = 0;         // The errno of a failed part of the write that is being sent.
  bool shuts_down_ = false;
  uint64_t descriptors_written_ = 0;
  uint64_t send_waits_ = 0;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_DESCRIPTORS_MESSAGE_WRITER_H_
