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

  std::vector<uv_buf_t> buffers;    // What is left to send.
  std::unique_ptr<KeptBytes> kept;  // Their memory, once it is queued.
  std::vector<int> descriptors;     // Cleared once the first byte is sent.
  std::string name;                 // The receiver of a datagram; empty for the connected one.
  Report report = Report::kWrite;
  int32_t count = 1;               // What kSent reports.
  bool carries_nul_bytes = false;  // The buffers are static memory.

  size_t size() const;
};

// How an attempt to send went.
enum class Attempt {
  kDone,        // All was taken.
  kWouldBlock,  // The rest can be sent once the socket is writable.
  kWait,        // No event reports when to go on: try again after a while.
  kFailed,      // This message cannot be sent; the next one may be.
  kBroken,      // No further message can be sent.
};

// Sends `message`, and steps over what the kernel took. *err is the errno of a failure.
Attempt SendSome(int fd, bool is_stream, OutgoingMessage* message, int* err);

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_DESCRIPTORS_OUTGOING_MESSAGE_H_
