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

// SCM_MAX_FD: the kernel refuses a message with more.
constexpr size_t kMaxDescriptorsPerMessage = 253;

struct PeekedMessage {
  std::vector<int> descriptors;  // Copies: the message still holds its own.
  // Not all of the descriptors came: more than were allowed, or the table was full.
  bool is_truncated = false;
  bool has_credentials = false;
  ucred credentials{};
  sockaddr_un sender{};
  socklen_t sender_length = 0;
};

// Looks at the next message, whatever options someone who shares the socket has set (they
// add control messages, a pidfd among them): its bytes into `room`,
// its descriptors into the table, close-on-exec. Returns how many bytes there are (of a datagram
// its true length, also where that is more than the room) or a negative errno.
ssize_t PeekMessage(int fd, const uv_buf_t& room, size_t max_descriptors, PeekedMessage* out);

// The same, but takes the message.
ssize_t TakeMessage(int fd, const uv_buf_t& room, size_t max_descriptors, PeekedMessage* out);

// Takes bytes of a stream with no room for descriptors: those in them are gone. Returns
// the number of bytes or a negative errno.
ssize_t ConsumeBytes(int fd, const uv_buf_t& room);

// Takes a whole datagram, with its descriptors.
int ConsumeDatagram(int fd);

// Returns the number of bytes taken (the descriptors went with the first of them) or
// a negative errno. Never blocks, never raises SIGPIPE.
ssize_t SendMessage(int fd, const uv_buf_t* buffers, size_t count, const int* descriptors,
                    size_t descriptor_count, const sockaddr_un* address, socklen_t address_length);

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_DESCRIPTORS_ANCILLARY_H_
