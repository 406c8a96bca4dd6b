#include "descriptors/close_on_exec.h"

#include <fcntl.h>
#include <uv.h>

#include <cerrno>

#include "core/arguments.h"

namespace pipewright {

Napi::Value CloseOnExec(const Napi::CallbackInfo& info) {
  int fd;
  if (!ToFd(info[0], &fd)) return Napi::Number::New(info.Env(), UV_EINVAL);
  const int result = fcntl(fd, F_SETFD, FD_CLOEXEC);
  return Napi::Number::New(info.Env(), result == 0 ? 0 : -errno);
}

}  // namespace pipewright
