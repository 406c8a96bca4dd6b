// One message on its way to the kernel, and one attempt to send it. message_socket.cc
// queues, polls and reports.

#ifndef PIPEWRIGHT_SRC_DESCRIPTORS_OUTGOING_MESSAGE_H_
#define PIPEWRIGHT_SRC_DESCRIPTORS_OUTGOING_MESSAGE_H_

#include <uv.h>

#include <memory>
#include <string>
#include <vector>

#include "net/byte_stream.h"

namespace pipewright {

struct OutgoingMessage {
  // Who hears of its end: the writer of a stream, or the sender of a message. kNext: it is
  // a part of a larger write, of which only the last part is reported.
  enum class Report { kWrite, kSent, kNext };

  std::vector<uv_buf_t> buffers;    // What is left to send.
  std::unique_ptr<KeptBytes> kept;  // Their memory, once it is queued.
  std::vector<int> descriptors;     // Gone with the first byte.
  std::string name;                 // Of a datagram's receiver; empty: the connected one.
  Report report = Report::kWrite;
  int32_t count = 1;               // What kSent reports.
  bool carries_nul_bytes = false;  // Memory that is there for good.

  size_t size() const;
};

// How an attempt to send went.
enum class Attempt {
  kDone,        // All was taken.
  kWouldBlock,  // The rest once the socket is writable.
  kWait,        // Nothing tells when it may go on: after a while.
  kFailed,      // This message cannot be sent; the next one perhaps.
  kBroken,      // Nor can any other.
};

// Sends `message`, stepping over what was taken. *err is the errno of a failure.
Attempt SendSome(int fd, bool is_stream, OutgoingMessage* message, int* err);

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_DESCRIPTORS_OUTGOING_MESSAGE_H_
