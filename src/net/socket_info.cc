#include "net/socket_info.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <uv.h>

#include <cerrno>
#include <string>
#include <vector>

#include "core/arguments.h"
#include "net/ip_address.h"
#include "net/unix_address.h"

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

namespace pipewright {

namespace {

Napi::Value UnixName(Napi::Env env, const sockaddr_un& address, socklen_t length) {
  const std::string name = NameOf(address, length);
  return name.empty() ? env.Undefined() : Napi::String::New(env, name);
}

int GetCredentials(int fd, ucred* out) {
  int domain = 0;
  const int err = GetSocketOption(fd, SO_DOMAIN, &domain);
  if (err != 0) return err;
  if (domain != AF_UNIX) return UV_ENOTSUP;
  socklen_t length = sizeof(*out);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, out, &length) != 0) return -errno;
  // A socket without a peer reports the id -1.
  return out->uid == static_cast<uid_t>(-1) ? UV_ENOTCONN : 0;
}

// Reads the supplementary groups. With ERANGE the kernel also says how much room they take.
int GetGroups(int fd, std::vector<gid_t>* out) {
  out->resize(64);
  for (;;) {
    auto length = static_cast<socklen_t>(out->size() * sizeof(gid_t));
    const int result = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, out->data(), &length);
    if (result != 0 && errno != ERANGE) return -errno;
    out->resize(length / sizeof(gid_t));
    if (result == 0) return 0;
  }
}

}  // namespace

int GetSocketOption(int fd, int name, int* out) {
  socklen_t length = sizeof(*out);
  return getsockopt(fd, SOL_SOCKET, name, out, &length) == 0 ? 0 : -errno;
}

Napi::Value NameOfSocket(Napi::Env env, int fd) {
  IpAddress address;
  socklen_t length = sizeof(address.data);
  if (getsockname(fd, address.get(), &length) != 0) return Napi::Number::New(env, -errno);
  if (address.data.ss_family != AF_UNIX) return address.ToObject(env);
  return UnixName(env, reinterpret_cast<const sockaddr_un&>(address.data), length);
}

Napi::Value NameOfPeer(Napi::Env env, int fd) {
  IpAddress address;
  socklen_t length = sizeof(address.data);
  if (getpeername(fd, address.get(), &length) != 0) return Napi::Number::New(env, -errno);
  return address.ToObject(env);
}

Napi::Value SocketName(const Napi::CallbackInfo& info) {
  int fd;
  if (!ToFd(info[0], &fd)) return Napi::Number::New(info.Env(), UV_EINVAL);
  return NameOfSocket(info.Env(), fd);
}

Napi::Value CredentialsOfPeer(Napi::Env env, int fd) {
  ucred credentials;
  std::vector<gid_t> groups;
  int err = GetCredentials(fd, &credentials);
  if (err == 0) err = GetGroups(fd, &groups);
  if (err != 0) return Napi::Number::New(env, err);
  auto list = Napi::Array::New(env, groups.size());
  for (uint32_t i = 0; i < groups.size(); ++i) list.Set(i, Napi::Number::New(env, groups[i]));
  auto object = Napi::Object::New(env);
  object.Set("pid", Napi::Number::New(env, credentials.pid));
  object.Set("uid", Napi::Number::New(env, credentials.uid));
  object.Set("gid", Napi::Number::New(env, credentials.gid));
  object.Set("groups", list);
  return object;
}

Napi::Value PeerCredentials(const Napi::CallbackInfo& info) {
  int fd;
  if (!ToFd(info[0], &fd)) return Napi::Number::New(info.Env(), UV_EINVAL);
  return CredentialsOfPeer(info.Env(), fd);
}

}  // namespace pipewright
