#include "descriptors/descriptor_functions.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef STATX_TYPE  // musl before 1.2.5 has no statx().
#include <linux/stat.h>
#endif

#include <cerrno>
#include <climits>
#include <string>

#include "core/arguments.h"
#include "core/descriptor_registry.h"
#include "net/socket_info.h"
#include "net/unix_address.h"

namespace pipewright {

namespace {

constexpr int kAtStatxDontSync = 0x4000;  // AT_STATX_DONT_SYNC, which old headers lack.

Napi::Value Number(const Napi::CallbackInfo& info, double value) {
  return Napi::Number::New(info.Env(), value);
}

// Asks for the type only, so that the kernel need not ask the file system. Returns 0 or an errno.
int TypeOf(int fd, struct statx* status) {
  constexpr int kFlags = AT_EMPTY_PATH | kAtStatxDontSync;
  return syscall(SYS_statx, fd, "", kFlags, STATX_TYPE, status) == 0 ? 0 : -errno;
}

Environment* EnvironmentOf(const Napi::CallbackInfo& info) {
  return static_cast<Environment*>(info.Data());
}

const char* SocketType(int fd, int domain) {
  int type = 0;
  int is_listening = 0;
  GetSocketOption(fd, SO_TYPE, &type);
  GetSocketOption(fd, SO_ACCEPTCONN, &is_listening);
  if (domain == AF_INET || domain == AF_INET6) {
    if (type == SOCK_DGRAM) return "udp";
    if (type == SOCK_STREAM) return is_listening != 0 ? "tcp-server" : "tcp";
    return "socket";
  }
  if (domain != AF_UNIX) return "socket";
  if (type == SOCK_DGRAM) return "unix-datagram";
  if (type == SOCK_SEQPACKET) return is_listening != 0 ? "unix-seqpacket-server" : "unix-seqpacket";
  return is_listening != 0 ? "unix-server" : "unix";
}

// Returns the text of the link in /proc, without asking the file system:
// "anon_inode:[eventpoll]", "/memfd:name (deleted)", "pipe:[1234]", or a path.
std::string LinkText(int fd) {
  char target[PATH_MAX];
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t length = readlink(link.c_str(), target, sizeof(target));
  return length <= 0 ? std::string() : std::string(target, static_cast<size_t>(length));
}

bool StartsWith(const std::string& text, const char* prefix) { return text.rfind(prefix, 0) == 0; }

// The text of its link is the only type that an anonymous file has. Returns an empty string for
// other files.
std::string AnonymousType(const std::string& link) {
  if (StartsWith(link, "/memfd:")) return "memfd";
  if (!StartsWith(link, "anon_inode:")) return std::string();
  const std::string name = link.substr(sizeof("anon_inode:") - 1);
  return name.size() > 2 && name.front() == '[' ? name.substr(1, name.size() - 2) : name;
}

// descriptorType(fd): the kind of the descriptor, or an errno. Never asks the file system: a
// received file may be on a slow one, where fstat(2) takes seconds.
Napi::Value DescriptorType(const Napi::CallbackInfo& info) {
  int fd;
  if (!ToFd(info[0], &fd)) return Number(info, UV_EINVAL);
  int domain = 0;
  const int no_socket = GetSocketOption(fd, SO_DOMAIN, &domain);
  if (no_socket == 0) return Napi::String::New(info.Env(), SocketType(fd, domain));
  if (no_socket != UV_ENOTSOCK) return Number(info, no_socket);
  const std::string link = LinkText(fd);
  const std::string anonymous = AnonymousType(link);
  if (!anonymous.empty()) return Napi::String::New(info.Env(), anonymous);
  struct statx status;
  const int err = TypeOf(fd, &status);
  if (err != 0) return Number(info, err);
  const char* type = "unknown";
  if (S_ISREG(status.stx_mode)) type = "file";
  if (S_ISDIR(status.stx_mode)) type = "directory";
  if (S_ISFIFO(status.stx_mode)) type = StartsWith(link, "pipe:") ? "pipe" : "fifo";
  if (S_ISCHR(status.stx_mode)) type = isatty(fd) == 1 ? "tty" : "character-device";
  if (S_ISBLK(status.stx_mode)) type = "block-device";
  return Napi::String::New(info.Env(), type);
}

// Returns two new descriptors as an array, and tracks them.
Napi::Value Give(const Napi::CallbackInfo& info, int first, int second) {
  EnvironmentOf(info)->Track(first);
  EnvironmentOf(info)->Track(second);
  auto pair = Napi::Array::New(info.Env(), 2);
  pair.Set(uint32_t{0}, first);
  pair.Set(uint32_t{1}, second);
  return pair;
}

Napi::Value GiveSocketPair(const Napi::CallbackInfo& info, int type) {
  UniqueFd first;
  UniqueFd second;
  const int err = OpenSocketPair(type, &first, &second);
  return err == 0 ? Give(info, first.Release(), second.Release()) : Number(info, err);
}

// socketPair(type): two descriptors, or an errno.
Napi::Value SocketPair(const Napi::CallbackInfo& info) {
  int32_t type;
  if (!ToInt32(info[0], &type)) return Number(info, UV_EINVAL);
  return GiveSocketPair(info, type | SOCK_NONBLOCK);
}

// stdioSocketPair(): the two ends of a child's stdio, or an errno. Both block, since one end
// becomes the child's; PipeWrap.open() makes the other non-blocking.
Napi::Value StdioSocketPair(const Napi::CallbackInfo& info) {
  return GiveSocketPair(info, SOCK_STREAM);
}

// pipe(): [end to read, end to write], or an errno.
Napi::Value Pipe(const Napi::CallbackInfo& info) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return Number(info, -errno);
  return Give(info, fds[0], fds[1]);
}

Napi::Value DuplicateFd(const Napi::CallbackInfo& info) {
  int fd;
  if (!ToFd(info[0], &fd)) return Number(info, UV_EINVAL);
  const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy >= 0) EnvironmentOf(info)->Track(copy);
  return Number(info, copy >= 0 ? copy : -errno);
}

// closeFd(fd): closes the descriptor before it returns, even if that takes long.
Napi::Value CloseFd(const Napi::CallbackInfo& info) {
  int fd;
  if (!ToFd(info[0], &fd)) return Number(info, UV_EINVAL);
  EnvironmentOf(info)->Untrack(fd);
  // After EINTR the descriptor is closed all the same; see close(2).
  const int err = close(fd) == 0 || errno == EINTR ? 0 : -errno;
  EnvironmentOf(info)->DescriptorClosed();
  return Number(info, err);
}

// Reports whether close(2) is sure to be quick: for a pipe, a socket that does not linger, and
// /dev/null and similar devices. Other files may be on a slow file system.
bool ClosesAtOnce(int fd) {
  struct statx status;
  if (TypeOf(fd, &status) != 0) return false;
  constexpr uint32_t kMemoryDevices = 1;
  if (S_ISFIFO(status.stx_mode)) return true;
  if (S_ISCHR(status.stx_mode)) return status.stx_rdev_major == kMemoryDevices;
  if (!S_ISSOCK(status.stx_mode)) return false;
  linger setting{};
  socklen_t length = sizeof(setting);
  getsockopt(fd, SOL_SOCKET, SO_LINGER, &setting, &length);
  return setting.l_onoff == 0;
}

// closeInBackground(fd or Int32Array): closes in the thread pool if that may take long. A list
// always goes there: checking each descriptor would cost as much as closing it.
Napi::Value CloseInBackground(const Napi::CallbackInfo& info) {
  int fd;
  if (info[0].IsTypedArray() &&
      info[0].As<Napi::TypedArray>().TypedArrayType() == napi_int32_array) {
    const auto list = info[0].As<Napi::Int32Array>();
    for (size_t i = 0; i < list.ElementLength(); ++i) EnvironmentOf(info)->Untrack(list[i]);
    EnvironmentOf(info)->closer()->Close(list.Data(), list.ElementLength());
    return Number(info, 0);
  }
  if (!ToFd(info[0], &fd)) return Number(info, UV_EINVAL);
  EnvironmentOf(info)->Untrack(fd);
  if (ClosesAtOnce(fd)) {
    close(fd);
    EnvironmentOf(info)->DescriptorClosed();
  } else {
    EnvironmentOf(info)->closer()->Close(&fd, 1);
  }
  return Number(info, 0);
}

// untrackFd(fd): gives the descriptor to the user; the end of this thread no longer closes it.
Napi::Value UntrackFd(const Napi::CallbackInfo& info) {
  int fd;
  if (!ToFd(info[0], &fd)) return Number(info, UV_EINVAL);
  EnvironmentOf(info)->Untrack(fd);
  return Number(info, 0);
}

// openForeign(fd, handle, open): calls open of a handle of Node's, which owns the descriptor if it
// returns 0; else returns its errno. A worker thread can be terminated at any moment, and then
// both or neither of the two would close the number: JavaScript cannot call open and untrackFd()
// as one step.
Napi::Value OpenForeign(const Napi::CallbackInfo& info) {
  int fd;
  if (!ToFd(info[0], &fd) || !info[2].IsFunction()) return Number(info, UV_EINVAL);
  napi_value argument = info[0];
  napi_value result = nullptr;
  const napi_status status =
      napi_call_function(info.Env(), info[1], info[2], 1, &argument, &result);
  if (status != napi_ok) {  // It has thrown, or the thread is being terminated.
    if (EnvironmentOf(info)->HasHandleOf(fd)) EnvironmentOf(info)->Untrack(fd);
    return info.Env().Undefined();
  }
  int32_t err = 0;
  if (!ToInt32(Napi::Value(info.Env(), result), &err)) err = UV_EINVAL;
  if (err == 0) EnvironmentOf(info)->Untrack(fd);
  return Number(info, err);
}

// hasHandle(fd): reports whether a handle of this thread, ours or Node's, has the descriptor.
Napi::Value HasHandle(const Napi::CallbackInfo& info) {
  int fd;
  const bool has = ToFd(info[0], &fd) && EnvironmentOf(info)->HasHandleOf(fd);
  return Napi::Boolean::New(info.Env(), has);
}

// leaveDescriptor(fd): returns a token with which another thread can claim the descriptor.
Napi::Value LeaveDescriptor(const Napi::CallbackInfo& info) {
  int fd;
  if (!ToFd(info[0], &fd)) return Number(info, UV_EINVAL);
  EnvironmentOf(info)->Untrack(fd);
  const uint64_t token = DescriptorRegistry::Get()->Leave(EnvironmentOf(info), UniqueFd(fd));
  return Number(info, static_cast<double>(token));
}

// claimDescriptor(token): the descriptor of that token, or an errno.
Napi::Value ClaimDescriptor(const Napi::CallbackInfo& info) {
  uint64_t token;
  if (!ToCount(info[0], &token)) return Number(info, UV_EINVAL);
  UniqueFd fd = DescriptorRegistry::Get()->Claim(token);
  if (!fd.is_valid()) return Number(info, UV_ENOENT);
  EnvironmentOf(info)->Track(fd.get());
  return Number(info, fd.Release());
}

Napi::Value SetDescriptorsAllowed(const Napi::CallbackInfo& info) {
  int fd;
  bool is_allowed;
  if (!ToFd(info[0], &fd) || !ToBool(info[1], &is_allowed)) return Number(info, UV_EINVAL);
  AllowDescriptors(fd, is_allowed);
  return Number(info, 0);
}

// getFlags(fd): the flags that F_GETFL of fcntl(2) returns, or an errno.
Napi::Value GetFlags(const Napi::CallbackInfo& info) {
  int fd;
  if (!ToFd(info[0], &fd)) return Number(info, UV_EINVAL);
  const int flags = fcntl(fd, F_GETFL);
  return Number(info, flags >= 0 ? flags : -errno);
}

Napi::Value SetBlocking(const Napi::CallbackInfo& info) {
  int fd;
  bool blocks;
  if (!ToFd(info[0], &fd) || !ToBool(info[1], &blocks)) return Number(info, UV_EINVAL);
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return Number(info, -errno);
  const int changed = blocks ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
  return Number(info, fcntl(fd, F_SETFL, changed) == 0 ? 0 : -errno);
}

// shutDownReading(fd): the socket's reader gets what has come, and then the end, even if another
// process could still send. Returns 0 or an errno.
Napi::Value ShutDownReading(const Napi::CallbackInfo& info) {
  int fd;
  if (!ToFd(info[0], &fd)) return Number(info, UV_EINVAL);
  return Number(info, shutdown(fd, SHUT_RD) == 0 ? 0 : -errno);
}

// closeOnExec(fd): sets FD_CLOEXEC on a descriptor that this process was started with.
Napi::Value CloseOnExec(const Napi::CallbackInfo& info) {
  int fd;
  if (!ToFd(info[0], &fd)) return Number(info, UV_EINVAL);
  return Number(info, fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? 0 : -errno);
}

}  // namespace

void DefineDescriptorFunctions(Napi::Object binding, Environment* environment) {
  const auto define = [&](const char* name, Napi::Value (*function)(const Napi::CallbackInfo&)) {
    binding.Set(name, Napi::Function::New(binding.Env(), function, name, environment));
  };
  define("descriptorType", DescriptorType);
  define("socketPair", SocketPair);
  define("stdioSocketPair", StdioSocketPair);
  define("pipe", Pipe);
  define("duplicateFd", DuplicateFd);
  define("closeFd", CloseFd);
  define("closeInBackground", CloseInBackground);
  define("openForeign", OpenForeign);
  define("hasHandle", HasHandle);
  define("leaveDescriptor", LeaveDescriptor);
  define("claimDescriptor", ClaimDescriptor);
  define("allowDescriptors", SetDescriptorsAllowed);
  define("getFlags", GetFlags);
  define("setBlocking", SetBlocking);
  define("closeOnExec", CloseOnExec);
  define("shutDownReading", ShutDownReading);
  define("untrackFd", UntrackFd);
}

}  // namespace pipewright
