// What the kernel knows of a socket: its options, the name that it is bound to, and the
// credentials of its peer. See getsockname(2), and SO_PEERCRED and SO_PEERGROUPS in unix(7).

#ifndef PIPEWRIGHT_SRC_NET_SOCKET_INFO_H_
#define PIPEWRIGHT_SRC_NET_SOCKET_INFO_H_

#include <napi.h>

namespace pipewright {

// Reads an option of SOL_SOCKET that is an int. Returns 0 or a negative errno.
int GetSocketOption(int fd, int name, int* out);

// A path or abstract name ("\0name") of a Unix socket, { address, family, port } of an
// IP socket, undefined if there is no name or one of another family; or a negative
// errno (UV_ENOTSOCK).
Napi::Value NameOfSocket(Napi::Env env, int fd);

// The same of the peer of a TCP socket.
Napi::Value NameOfPeer(Napi::Env env, int fd);

// { pid, uid, gid, groups } of the peer of a Unix socket, or a negative errno: UV_ENOTCONN if
// there is no peer, UV_ENOTSUP if it is no Unix socket.
Napi::Value CredentialsOfPeer(Napi::Env env, int fd);

// For JavaScript: socketName(fd), as NameOfSocket().
Napi::Value SocketName(const Napi::CallbackInfo& info);

// For JavaScript: peerCredentials(fd), as CredentialsOfPeer().
Napi::Value PeerCredentials(const Napi::CallbackInfo& info);

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_NET_SOCKET_INFO_H_
