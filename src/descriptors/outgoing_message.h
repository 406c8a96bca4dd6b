// One message on its way to the kernel, and one attempt to send it. MessageWriter
// queues and reports.

#ifndef PIPEWRIGHT_SRC_DESCRIPTORS_OUTGOING_MESSAGE_H_
#define PIPEWRIGHT_SRC_DESCRIPTORS_OUTGOING_MESSAGE_H_

#include <uv.h>

#include <memory>
#include <string>
#include <vector>

#include "net/byte_stream.h"

namespace pipewright {

struct OutgoingMessage {
  // The event that reports the outcome. kPart: part of a larger write; only the last part
  // is reported.
  enum class Report { kWrite, kSent, kPart };

  std::vector<uv_buf_t> buffers;    // The bytes that are left to send.
  std::unique_ptr<KeptBytes> kept;  // Owns their memory once the message is queued.
  std::vector<int> descriptors;     // Cleared once the first byte is sent.
  std::string name;                 // The receiver of a datagram; empty if the socket is connected.
  Report report = Report::kWrite;
  int32_t count = 1;               // The number that kSent reports.
  bool carries_nul_bytes = false;  // The buffers are static memory.

  size_t size() const;
};

// The outcome of an attempt to send.
enum class Attempt {
  kDone,        // The kernel took all of it.
  kWouldBlock,  // The rest can be sent once the socket is writable.
  kWait,        // No event reports when the rest can be sent: try again after a while.
  kFailed,      // This message cannot be sent; the next one may be.
  kBroken,      // No further message can be sent.
};

// Sends as much of `message` as the kernel takes, and removes that from it. A failure sets *err
// to a negative errno.
Attempt SendSome(int fd, bool is_stream, OutgoingMessage* message, int* err);

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_DESCRIPTORS_OUTGOING_MESSAGE_H_
