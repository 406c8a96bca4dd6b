#include "net/tcp_wrap.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>

#include "core/arguments.h"
#include "core/class_methods.h"
#include "net/ip_address.h"
#include "net/socket_info.h"

namespace pipewright {

namespace {

int CheckTcp(int fd) {
  int type = 0;
  int domain = 0;
  int err = GetSocketOption(fd, SO_TYPE, &type);
  if (err == 0) err = GetSocketOption(fd, SO_DOMAIN, &domain);
  if (err != 0) return err;
  if (type != SOCK_STREAM) return UV_EINVAL;
  return domain == AF_INET || domain == AF_INET6 ? 0 : UV_EINVAL;
}

bool IsIpv6(int fd) {
  int domain = 0;
  return GetSocketOption(fd, SO_DOMAIN, &domain) == 0 && domain == AF_INET6;
}

using NameFunction = int (*)(const uv_tcp_t*, sockaddr*, int*);

Napi::Value NameOf(const Napi::CallbackInfo& info, const uv_tcp_t* tcp, NameFunction function) {
  IpAddress address;
  int length = sizeof(address.data);
  const int err = function(tcp, address.get(), &length);
  return err == 0 ? address.ToObject(info.Env()) : Result(info, err);
}

}  // namespace

Napi::Function TcpWrap::Define(Napi::Env env, CompletionQueue* queue) {
  ClassMethods<TcpWrap> methods;
  methods.AddStream()
      .Add("forwardTo", &TcpWrap::ForwardTo)
      .Add("open", &TcpWrap::OpenFd)
      .Add("bind", &TcpWrap::Bind)
      .Add("connect", &TcpWrap::Connect)
      .Add("getsockname", &TcpWrap::LocalAddress)
      .Add("getpeername", &TcpWrap::RemoteAddress)
      .Add("setNoDelay", &TcpWrap::SetNoDelay)
      .Add("setKeepAlive", &TcpWrap::SetKeepAlive)
      .Add("setTypeOfService", &TcpWrap::SetTypeOfService)
      .Add("getTypeOfService", &TcpWrap::GetTypeOfService)
      .Add("reset", &TcpWrap::Reset);
  return DefineClass(env, "TcpWrap", methods.list(), queue);
}

TcpWrap::TcpWrap(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<TcpWrap>(info),
      StreamWrap(this, static_cast<CompletionQueue*>(info.Data()),
                 reinterpret_cast<uv_stream_t*>(&tcp_)) {}

int TcpWrap::OpenTcp(const Napi::CallbackInfo& info) {
  return Open(info, [this](uv_loop_t* loop) { return uv_tcp_init(loop, &tcp_); });
}

// On failure the descriptor stays the caller's.
Napi::Value TcpWrap::OpenFd(const Napi::CallbackInfo& info) {
  int fd;
  if (!ToFd(info[0], &fd)) return Result(info, UV_EINVAL);
  int err = CheckUnopened();
  if (err == 0) err = CheckTcp(fd);
  if (err == 0) err = CheckStreamAdoptable(fd);
  if (err == 0) err = OpenTcp(info);
  if (err == 0) err = uv_tcp_open(&tcp_, fd);
  if (err == 0) Adopted(fd);
  return Result(info, err);
}

// Returns -1 as long as there is no socket; the kernel answers EBADF to that.
int TcpWrap::Fd() const {
  uv_os_fd_t fd = -1;
  uv_fileno(reinterpret_cast<const uv_handle_t*>(&tcp_), &fd);
  return fd;
}

Napi::Value TcpWrap::Bind(const Napi::CallbackInfo& info) {
  std::string host;
  int32_t port;
  IpAddress address;
  if (!ToString(info[0], &host) || !ToInt32(info[1], &port)) return Result(info, UV_EINVAL);
  int err = IpAddress::Parse(host, port, &address);
  if (err == 0) err = OpenTcp(info);
  if (err == 0) err = uv_tcp_bind(&tcp_, address.get(), 0);
  return Result(info, err);
}

Napi::Value TcpWrap::Connect(const Napi::CallbackInfo& info) {
  std::string host;
  int32_t port;
  IpAddress address;
  if (!ToString(info[0], &host) || !ToInt32(info[1], &port)) return Result(info, UV_EINVAL);
  int err = IpAddress::Parse(host, port, &address);
  if (err == 0 && !is_open()) err = OpenTcp(info);
  if (err == 0) err = uv_tcp_connect(&connect_request_, &tcp_, address.get(), OnConnect);
  return Result(info, err);
}

void TcpWrap::OnConnect(uv_connect_t* request, int status) {
  auto* self = static_cast<TcpWrap*>(
      HandleWrap::From(reinterpret_cast<const uv_handle_t*>(request->handle)));
  self->Note(EventKind::kConnect, status);
}

Napi::Value TcpWrap::LocalAddress(const Napi::CallbackInfo& info) {
  if (!is_open()) return Result(info, UV_EBADF);
  return NameOf(info, &tcp_, uv_tcp_getsockname);
}

Napi::Value TcpWrap::RemoteAddress(const Napi::CallbackInfo& info) {
  if (!is_open()) return Result(info, UV_EBADF);
  return NameOf(info, &tcp_, uv_tcp_getpeername);
}

Napi::Value TcpWrap::SetNoDelay(const Napi::CallbackInfo& info) {
  if (!is_open()) return Result(info, UV_EBADF);
  return Result(info, uv_tcp_nodelay(&tcp_, info[0].ToBoolean().Value() ? 1 : 0));
}

Napi::Value TcpWrap::SetKeepAlive(const Napi::CallbackInfo& info) {
  int32_t seconds;
  if (!is_open()) return Result(info, UV_EBADF);
  if (!ToInt32(info[1], &seconds) || seconds < 0) return Result(info, UV_EINVAL);
  const bool enable = info[0].ToBoolean().Value();
  return Result(info, uv_tcp_keepalive(&tcp_, enable ? 1 : 0, static_cast<unsigned int>(seconds)));
}

// Sets the byte that marks each packet: TOS in IPv4, traffic class in IPv6. An IPv6 socket
// may have an IPv4 peer, so it gets both.
Napi::Value TcpWrap::SetTypeOfService(const Napi::CallbackInfo& info) {
  int32_t value;
  if (!is_open()) return Result(info, UV_EBADF);
  if (!ToInt32(info[0], &value) || value < 0 || value > 255) return Result(info, UV_EINVAL);
  const int fd = Fd();
  int err = setsockopt(fd, IPPROTO_IP, IP_TOS, &value, sizeof(value)) == 0 ? 0 : -errno;
  if (IsIpv6(fd)) {
    err = setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &value, sizeof(value)) == 0 ? 0 : -errno;
  }
  return Result(info, err);
}

Napi::Value TcpWrap::GetTypeOfService(const Napi::CallbackInfo& info) {
  if (!is_open()) return Result(info, UV_EBADF);
  const int fd = Fd();
  const bool is_ipv6 = IsIpv6(fd);
  int value = 0;
  socklen_t length = sizeof(value);
  const int level = is_ipv6 ? IPPROTO_IPV6 : IPPROTO_IP;
  const int err = getsockopt(fd, level, is_ipv6 ? IPV6_TCLASS : IP_TOS, &value, &length);
  return Result(info, err == 0 ? value : -errno);
}

// Closes with a RST; onclose() follows as after close().
Napi::Value TcpWrap::Reset(const Napi::CallbackInfo& info) {
  if (!is_open()) return Result(info, UV_EBADF);
  const linger hard = {1, 0};
  int err = setsockopt(Fd(), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)) == 0 ? 0 : -errno;
  if (err == 0) Close();
  return Result(info, err);
}

}  // namespace pipewright
