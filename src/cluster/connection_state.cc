#include "cluster/connection_state.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>

namespace pipewright {

namespace {

constexpr int kFarAhead = 1 << 30;  // More than any socket holds.

// Bytes that can be read; the end of the stream does not count.
int UnreadBytes(int fd) {
  int count = 0;
  ioctl(fd, SIOCINQ, &count);
  return count;
}

// The kernel counts the end of the stream (FIN) among the bytes received, and what it has sent
// again among those sent.
bool TcpUse(int fd, PriorUse* use) {
  tcp_info info{};
  socklen_t length = sizeof(info);
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return false;
  constexpr int kEstablished = 1;
  const uint64_t fin = info.tcpi_state == kEstablished ? 0 : 1;
  const uint64_t unread = static_cast<uint64_t>(UnreadBytes(fd)) + fin;
  use->read = info.tcpi_bytes_received > unread ? info.tcpi_bytes_received - unread : 0;
  use->sent = info.tcpi_bytes_sent - info.tcpi_bytes_retrans;
  return true;
}

}  // namespace

PriorUse UseSoFar(int fd, bool is_unix) {
  PriorUse use;
  if (!is_unix) TcpUse(fd, &use);
  return use;
}

void WatchForTouch(int fd, bool is_unix) {
  if (is_unix) setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &kFarAhead, sizeof(kFarAhead));
}

bool IsTouched(int fd, bool is_unix, const PriorUse& prior) {
  if (!is_unix) {
    PriorUse use;
    return !TcpUse(fd, &use) || use.read > prior.read || use.sent > prior.sent;
  }
  int offset = 0;
  socklen_t length = sizeof(offset);
  getsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &offset, &length);
  return offset != kFarAhead;
}

bool HasUnreadOutput(int fd) {
  int count = 0;
  ioctl(fd, SIOCOUTQ, &count);
  return count > 0;
}

ssize_t PeekUnread(int fd, bool is_watched, char* room, size_t size) {
  constexpr int kOff = -1;
  if (is_watched) setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &kOff, sizeof(kOff));
  ssize_t count;
  do {
    count = recv(fd, room, size, MSG_PEEK | MSG_DONTWAIT);
  } while (count < 0 && errno == EINTR);
  const int err = count < 0 ? -errno : 0;
  if (is_watched) WatchForTouch(fd, true);
  return err != 0 ? err : count;
}

bool IsOver(int fd) {
  pollfd state = {fd, POLLRDHUP, 0};
  if (poll(&state, 1, 0) <= 0 || (state.revents & (POLLHUP | POLLERR)) == 0) return false;
  return UnreadBytes(fd) == 0;
}

}  // namespace pipewright
