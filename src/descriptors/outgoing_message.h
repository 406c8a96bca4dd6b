// One message on its way to the kernel, and one attempt to send it. message_socket.cc
// queues, polls and reports.

#ifndef PIPEWRIGHT_SRC_DESCRIPTORS_OUTGOING_MESSAGE_H_
#define PIPEWRIGHT_SRC_DESCRIPTORS_OUTGOING_MESSAGE_H_

#include <napi.h>
#include <uv.h>

#include <memory>
#include <string>
#include <vector>

#include "net/unix_address.h"

namespace pipewright {

struct OutgoingMessage {
  // Who hears of its end: the writer of a stream, the sender of a message, or nobody:
  // it is but the first part of the next.
  enum class Report { kWrite, kSent, kNext };

  std::vector<uv_buf_t> buffers;       // What is left to send.
  Napi::Reference<Napi::Value> owner;  // Keeps their memory, or `bytes` is it.
  std::shared_ptr<std::string> bytes;
  std::vector<int> descriptors;  // Gone with the first byte.
  std::string name;              // Of a datagram's receiver; empty: the connected one.
  Report report = Report::kWrite;
  int32_t count = 1;  // What kSent tells.

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
