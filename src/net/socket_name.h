// The name that a socket is bound to, as getsockname(2) tells it.

#ifndef PIPEWRIGHT_SRC_NET_SOCKET_NAME_H_
#define PIPEWRIGHT_SRC_NET_SOCKET_NAME_H_

#include <napi.h>

namespace pipewright {

// A path or abstract name ("\0name") of a Unix socket, { address, family, port } of an
// IP socket, undefined where there is no name or one of another family; or a negative
// errno (UV_ENOTSOCK).
Napi::Value NameOfSocket(Napi::Env env, int fd);

// For JavaScript: socketName(fd), the same.
Napi::Value SocketName(const Napi::CallbackInfo& info);

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_NET_SOCKET_NAME_H_
