#include "net/pipe_wrap.h"

#include <sys/epoll.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>

#include "core/arguments.h"
#include "core/class_methods.h"
#include "net/unix_address.h"

namespace pipewright {

namespace {

// Checks that epoll accepts the descriptor. If not (files, directories and /dev/null),
// libuv would abort the process. What a listener has accepted needs no look.
int CheckPollable(const CompletionQueue& queue, int fd) {
  if (queue.IsAccepted(fd)) return 0;
  struct stat status;
  if (fstat(fd, &status) != 0) return -errno;
  if (S_ISSOCK(status.st_mode) || S_ISFIFO(status.st_mode)) return 0;
  epoll_event event{};
  const int epoll = uv_backend_fd(queue.environment()->loop());
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) return -errno;
  epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &event);
  return 0;
}

}  // namespace

Napi::Function PipeWrap::Define(Napi::Env env, CompletionQueue* queue) {
  ClassMethods<PipeWrap> methods;
  methods.AddStream()
      .Add("forwardTo", &PipeWrap::ForwardTo)
      .Add("open", &PipeWrap::OpenFd)
      .Add("connect", &PipeWrap::Connect);
  return DefineClass(env, "PipeWrap", methods.list(), queue);
}

PipeWrap::PipeWrap(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<PipeWrap>(info),
      StreamWrap(this, static_cast<CompletionQueue*>(info.Data()),
                 reinterpret_cast<uv_stream_t*>(&pipe_)) {}

int PipeWrap::OpenPipe(const Napi::CallbackInfo& info) {
  return Open(info, [this](uv_loop_t* loop) { return uv_pipe_init(loop, &pipe_, 0); });
}

int PipeWrap::Fd() const {
  uv_os_fd_t fd = -1;
  uv_fileno(reinterpret_cast<const uv_handle_t*>(&pipe_), &fd);
  return fd;
}

// On failure the descriptor stays the caller's.
Napi::Value PipeWrap::OpenFd(const Napi::CallbackInfo& info) {
  int fd;
  if (!ToFd(info[0], &fd)) return Result(info, UV_EINVAL);
  int err = CheckUnopened();
  if (err == 0) err = CheckPollable(*queue(), fd);
  if (err == 0) err = CheckStreamAdoptable(fd);
  if (err == 0) err = OpenPipe(info);
  if (err == 0) err = uv_pipe_open(&pipe_, fd);
  if (err == 0) Adopted(fd);
  return Result(info, err);
}

// A Unix connect(2) completes at once. Its outcome is delivered in a later turn all the
// same, as in Node.
Napi::Value PipeWrap::Connect(const Napi::CallbackInfo& info) {
  std::string name;
  if (!ToString(info[0], &name)) return Result(info, UV_EINVAL);
  // The descriptor was adopted by open(). If it is connected, the kernel says EISCONN.
  if (is_open()) {
    Note(EventKind::kConnect, ConnectUnixSocket(Fd(), name));
    return Result(info, 0);
  }
  int err = OpenPipe(info);
  if (err != 0) return Result(info, err);
  UniqueFd socket;
  err = ConnectUnix(name, false, &socket);
  if (err == 0) err = uv_pipe_open(&pipe_, socket.get());
  if (err == 0) socket.Release();
  Note(EventKind::kConnect, err);
  return Result(info, 0);
}

}  // namespace pipewright
