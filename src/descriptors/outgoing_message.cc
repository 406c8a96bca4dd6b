#include "descriptors/outgoing_message.h"

#include <cerrno>

#include "descriptors/ancillary.h"
#include "net/unix_address.h"

namespace pipewright {

namespace {

// ETOOMANYREFS: an unprivileged user has too many descriptors in flight, all processes
// together. The number falls when one receives some. poll(2) reports the socket writable all
// the same.
Attempt Classify(int err, bool is_stream, bool has_name) {
  switch (-err) {
    case EAGAIN:
      // If a datagram socket is not connected, poll(2) cannot report that the receiver has room.
      return has_name ? Attempt::kWait : Attempt::kWouldBlock;
    case ETOOMANYREFS:
    case ENOBUFS:
    case ENOMEM:
      return Attempt::kWait;
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
      return is_stream ? Attempt::kBroken : Attempt::kFailed;
    default:
      return Attempt::kFailed;
  }
}

void StepOver(std::vector<uv_buf_t>* buffers, size_t taken) {
  size_t whole = 0;
  while (whole < buffers->size() && taken >= (*buffers)[whole].len) {
    taken -= (*buffers)[whole].len;
    ++whole;
  }
  buffers->erase(buffers->begin(), buffers->begin() + static_cast<std::ptrdiff_t>(whole));
  if (buffers->empty()) return;
  buffers->front().base += taken;
  buffers->front().len -= taken;
}

}  // namespace

size_t OutgoingMessage::size() const {
  size_t total = 0;
  for (const uv_buf_t& buffer : buffers) total += buffer.len;
  return total;
}

Attempt SendSome(int fd, bool is_stream, OutgoingMessage* message, int* err) {
  UnixAddress address;
  const bool has_name = !message->name.empty();
  if (has_name) {
    *err = UnixAddress::Find(message->name, &address);
    if (*err != 0) return Attempt::kFailed;
  }
  if (is_stream) StepOver(&message->buffers, 0);  // An empty buffer would send nothing.
  do {
    if (is_stream && message->buffers.empty()) return Attempt::kDone;
    const std::vector<int>& descriptors = message->descriptors;
    const ssize_t taken = SendMessage(
        fd, message->buffers.data(), message->buffers.size(), descriptors.data(),
        descriptors.size(), has_name ? address.get() : nullptr, has_name ? address.length() : 0);
    if (taken < 0) {
      *err = static_cast<int>(taken);
      return Classify(*err, is_stream, has_name);
    }
    message->descriptors.clear();
    if (!is_stream) return Attempt::kDone;
    StepOver(&message->buffers, static_cast<size_t>(taken));
  } while (!message->buffers.empty());
  return Attempt::kDone;
}

}  // namespace pipewright
