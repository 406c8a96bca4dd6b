// sendmsg(2) and recvmsg(2) with descriptors and credentials beside the bytes. See
// unix(7) and cmsg(3). No libuv and no JavaScript here.

#ifndef PIPEWRIGHT_SRC_DESCRIPTORS_ANCILLARY_H_
#define PIPEWRIGHT_SRC_DESCRIPTORS_ANCILLARY_H_

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <uv.h>

#include <cstddef>
#include <vector>

namespace pipewright {

// SCM_MAX_FD: the kernel refuses a message with more descriptors.
constexpr size_t kMaxDescriptorsPerMessage = 253;

struct PeekedMessage {
  std::vector<int> descriptors;  // After a look these are copies: the queued message keeps its own.
  // True if descriptors are missing: there were more than allowed, or the table was full.
  bool is_truncated = false;
  bool has_credentials = false;
  ucred credentials{};
  sockaddr_un sender{};
  socklen_t sender_length = 0;
};

// Looks at the next message. Puts its bytes into `room` and its descriptors, close-on-exec,
// into the table. Another process that shares the socket may have set options that add control
// messages, such as a pidfd; they do no harm. Returns the number of bytes or a negative errno.
// The number is the true length of a datagram, even if that is more than the room.
ssize_t PeekMessage(int fd, const uv_buf_t& room, size_t max_descriptors, PeekedMessage* out);

// Takes the next message, and otherwise does the same.
ssize_t TakeMessage(int fd, const uv_buf_t& room, size_t max_descriptors, PeekedMessage* out);

// Takes bytes of a stream with no room for descriptors: the kernel drops those that come with
// the bytes. Returns the number of bytes or a negative errno.
ssize_t ConsumeBytes(int fd, const uv_buf_t& room);

// Takes a whole datagram, and drops it with its descriptors. Returns 0 or a negative errno.
int ConsumeDatagram(int fd);

// Returns the number of bytes sent, or a negative errno. The descriptors go with the first
// byte. Never blocks, never raises SIGPIPE.
ssize_t SendMessage(int fd, const uv_buf_t* buffers, size_t count, const int* descriptors,
                    size_t descriptor_count, const sockaddr_un* address, socklen_t address_length);

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_DESCRIPTORS_ANCILLARY_H_
