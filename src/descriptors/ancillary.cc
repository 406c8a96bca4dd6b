#include "descriptors/ancillary.h"

#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

namespace pipewright {

namespace {

constexpr int kScmPidfd = 0x04;  // SCM_PIDFD, which some C libraries lack.

// The room for control messages that other options of the socket add: credentials, a pidfd, a
// number of bytes, times and a security label. Without it MSG_CTRUNC would not show that
// descriptors are missing.
constexpr size_t kRoomForOthers = 512;
constexpr size_t kControlSize =
    kRoomForOthers + CMSG_SPACE(sizeof(int) * kMaxDescriptorsPerMessage);

void CloseDescriptor(const cmsghdr* part) {
  int fd = -1;
  if (part->cmsg_len >= CMSG_LEN(sizeof(fd))) std::memcpy(&fd, CMSG_DATA(part), sizeof(fd));
  if (fd >= 0) close(fd);
}

void AppendDescriptors(cmsghdr* part, std::vector<int>* out) {
  const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  const size_t old_size = out->size();
  out->resize(old_size + count);
  std::memcpy(out->data() + old_size, CMSG_DATA(part), count * sizeof(int));
}

// musl's macro compares a signed with an unsigned length.
cmsghdr* NextPart(msghdr* message, cmsghdr* part) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-compare"
  return CMSG_NXTHDR(message, part);
#pragma GCC diagnostic pop
}

void ParseControl(msghdr* message, PeekedMessage* out) {
  for (cmsghdr* part = CMSG_FIRSTHDR(message); part != nullptr; part = NextPart(message, part)) {
    const bool is_known = part->cmsg_level == SOL_SOCKET;
    if (is_known && part->cmsg_type == SCM_RIGHTS) {
      AppendDescriptors(part, &out->descriptors);
    } else if (is_known && part->cmsg_type == SCM_CREDENTIALS) {
      out->has_credentials = true;
      std::memcpy(&out->credentials, CMSG_DATA(part), sizeof(ucred));
    } else if (is_known && part->cmsg_type == kScmPidfd) {
      CloseDescriptor(part);
    }
  }
}

// Repeats a call that a signal interrupts. Returns its result, or a negative errno.
template <typename Call>
ssize_t Uninterrupted(Call call) {
  ssize_t result;
  do {
    result = call();
  } while (result == -1 && errno == EINTR);
  return result == -1 ? -errno : result;
}

ssize_t Receive(int fd, msghdr* message, int flags) {
  return Uninterrupted(
      [&] { return recvmsg(fd, message, flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC); });
}

ssize_t ReceiveAll(int fd, const uv_buf_t& room, size_t max_descriptors, int flags,
                   PeekedMessage* out) {
  alignas(cmsghdr) char control[kControlSize];
  iovec vector{room.base, room.len};
  msghdr message{};
  message.msg_name = &out->sender;
  message.msg_namelen = sizeof(out->sender);
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control;
  // If other control messages use less than their room, the kernel may fill the rest with more
  // descriptors than are allowed.
  message.msg_controllen =
      kRoomForOthers + CMSG_LEN(sizeof(int) * std::max<size_t>(max_descriptors, 1));
  const ssize_t result = Receive(fd, &message, flags);
  if (result < 0) return result;
  ParseControl(&message, out);
  out->is_truncated =
      (message.msg_flags & MSG_CTRUNC) != 0 || out->descriptors.size() > max_descriptors;
  out->sender_length = message.msg_namelen;
  return result;
}

// The kernel has less to copy and check than for sendmsg(2).
ssize_t SendBytes(int fd, const uv_buf_t& bytes) {
  return Uninterrupted(
      [&] { return send(fd, bytes.base, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL); });
}

}  // namespace

ssize_t PeekMessage(int fd, const uv_buf_t& room, size_t max_descriptors, PeekedMessage* out) {
  return ReceiveAll(fd, room, max_descriptors, MSG_PEEK | MSG_TRUNC, out);
}

ssize_t TakeMessage(int fd, const uv_buf_t& room, size_t max_descriptors, PeekedMessage* out) {
  return ReceiveAll(fd, room, max_descriptors, 0, out);
}

ssize_t ConsumeBytes(int fd, const uv_buf_t& room) {
  return Uninterrupted([&] { return recv(fd, room.base, room.len, MSG_DONTWAIT); });
}

int ConsumeDatagram(int fd) {
  msghdr message{};
  const ssize_t result = Receive(fd, &message, 0);
  return result < 0 ? static_cast<int>(result) : 0;
}

ssize_t SendMessage(int fd, const uv_buf_t* buffers, size_t count, const int* descriptors,
                    size_t descriptor_count, const sockaddr_un* address, socklen_t address_length) {
  static_assert(sizeof(uv_buf_t) == sizeof(iovec), "libuv keeps them alike on Unix");
  if (count == 1 && descriptor_count == 0 && address == nullptr) return SendBytes(fd, buffers[0]);
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxDescriptorsPerMessage)];
  msghdr message{};
  message.msg_name = const_cast<sockaddr_un*>(address);
  message.msg_namelen = address_length;
  message.msg_iov = reinterpret_cast<iovec*>(const_cast<uv_buf_t*>(buffers));
  message.msg_iovlen = std::min<size_t>(count, IOV_MAX);
  if (descriptor_count > 0) {
    const size_t bytes = sizeof(int) * descriptor_count;
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(bytes);
    cmsghdr* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(bytes);
    std::memcpy(CMSG_DATA(part), descriptors, bytes);
  }
  return Uninterrupted([&] { return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL); });
}

}  // namespace pipewright
