// Who is at the other end of a connected Unix socket: SO_PEERCRED and SO_PEERGROUPS of
// unix(7).

#ifndef PIPEWRIGHT_SRC_NET_PEER_CREDENTIALS_H_
#define PIPEWRIGHT_SRC_NET_PEER_CREDENTIALS_H_

#include <napi.h>

namespace pipewright {

// For JavaScript: peerCredentials(fd), { pid, uid, gid, groups } or a negative errno.
// UV_ENOTCONN where there is no peer, UV_ENOTSUP where it is no Unix socket.
Napi::Value PeerCredentials(const Napi::CallbackInfo& info);

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_NET_PEER_CREDENTIALS_H_
