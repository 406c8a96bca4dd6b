#include "net/socket_name.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <uv.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "core/arguments.h"
#include "net/ip_address.h"

namespace pipewright {

namespace {

// The kernel counts the NUL byte behind a path in; one of 108 bytes has none.
Napi::Value UnixName(Napi::Env env, const sockaddr_un& address, socklen_t length) {
  constexpr size_t kOffset = offsetof(sockaddr_un, sun_path);
  if (length <= kOffset) return env.Undefined();
  size_t size = length - kOffset;
  if (address.sun_path[0] != '\0') size = strnlen(address.sun_path, size);
  return Napi::String::New(env, address.sun_path, size);
}

}  // namespace

Napi::Value NameOfSocket(Napi::Env env, int fd) {
  IpAddress address;
  socklen_t length = sizeof(address.data);
  if (getsockname(fd, address.get(), &length) != 0) return Napi::Number::New(env, -errno);
  if (address.data.ss_family != AF_UNIX) return address.ToObject(env);
  return UnixName(env, reinterpret_cast<const sockaddr_un&>(address.data), length);
}

Napi::Value SocketName(const Napi::CallbackInfo& info) {
  int fd;
  if (!ToFd(info[0], &fd)) return Napi::Number::New(info.Env(), UV_EINVAL);
  return NameOfSocket(info.Env(), fd);
}

}  // namespace pipewright
