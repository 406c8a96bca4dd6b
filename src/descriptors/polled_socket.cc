#include "descriptors/polled_socket.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <utility>

#include "net/socket_info.h"

namespace pipewright {

void SetSocketOption(int fd, int name, int value) {
  setsockopt(fd, SOL_SOCKET, name, &value, sizeof(value));
}

int PolledSocket::OpenSocket(const Napi::CallbackInfo& info, UniqueFd* socket, bool keep_blocking) {
  const int fd = socket->get();
  int domain = 0;
  int err = GetSocketOption(fd, SO_DOMAIN, &domain);
  if (err == 0 && domain != AF_UNIX) err = UV_EAFNOSUPPORT;
  if (err == 0) err = GetSocketOption(fd, SO_TYPE, &type_);
  if (err != 0) return err;
  const int flags = fcntl(fd, F_GETFL);
  err = Open(info, [&](uv_loop_t* loop) { return uv_poll_init(loop, &poll_, fd); });
  if (err != 0) return err;
  // libuv makes the socket non-blocking for every process that shares it. All calls here
  // pass MSG_DONTWAIT, so they do not need that.
  if (keep_blocking) fcntl(fd, F_SETFL, flags);
  socket_ = std::move(*socket);
  return 0;
}

void PolledSocket::Poll(int events, uv_poll_cb on_ready) {
  if (polled_ == events) return;
  polled_ = events;
  if (events == 0) {
    uv_poll_stop(&poll_);
  } else {
    uv_poll_start(&poll_, events, on_ready);
  }
}

// libuv reports EPOLLERR (a pending error or the peer's end) as a negative status, and stops
// polling. The next read or write finds out which it is.
int PolledSocket::ReadyEvents(int status, int events) {
  return status < 0 ? std::exchange(polled_, 0) : events;
}

UniqueFd PolledSocket::StopAndRelease() {
  uv_poll_stop(&poll_);
  return std::move(socket_);
}

}  // namespace pipewright
