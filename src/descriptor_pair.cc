#include "descriptor_pair.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>

#include "arguments.h"

namespace pipewright {

namespace {

Napi::Value ToArray(const Napi::CallbackInfo& info, int first, int second) {
  auto pair = Napi::Array::New(info.Env(), 2);
  pair.Set(uint32_t{0}, first);
  pair.Set(uint32_t{1}, second);
  return pair;
}

}  // namespace

int OpenSocketPair(UniqueFd* first, UniqueFd* second) {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) return -errno;
  first->Reset(fds[0]);
  second->Reset(fds[1]);
  return 0;
}

Napi::Value StdioSocketPair(const Napi::CallbackInfo& info) {
  UniqueFd first;
  UniqueFd second;
  const int err = OpenSocketPair(&first, &second);
  if (err != 0) return Napi::Number::New(info.Env(), err);
  return ToArray(info, first.Release(), second.Release());
}

Napi::Value Pipe(const Napi::CallbackInfo& info) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return Napi::Number::New(info.Env(), -errno);
  return ToArray(info, fds[0], fds[1]);
}

}  // namespace pipewright
