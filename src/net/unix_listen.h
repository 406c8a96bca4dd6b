// Binding a Unix socket to a name, and listening on it with the file's mode and owner in
// force before the first client can connect.

#ifndef PIPEWRIGHT_SRC_NET_UNIX_LISTEN_H_
#define PIPEWRIGHT_SRC_NET_UNIX_LISTEN_H_

#include <string>

#include "core/unique_fd.h"
#include "net/socket_file.h"

namespace pipewright {

struct ListenUnixOptions {
  static constexpr int kUnset = -1;

  std::string path;
  int mode = kUnset;  // The file's mode. Unset: 0777 less the umask, as bind(2) makes it.
  int add_mode = 0;   // Bits to add to the mode that bind(2) gave. Ignored if `mode` is set.
  int uid = kUnset;   // The file's owner. Unset: the process's.
  int gid = kUnset;
  bool replace_stale = false;
  int backlog = 511;
  bool pass_descriptors = false;  // Lets clients send descriptors.
};

// Creates a stream socket that listens at options.path. Returns 0 or a negative errno,
// and on failure leaves neither a descriptor nor a file: EADDRINUSE EACCES EINVAL, and
// with replace_stale EBUSY while another process holds the lock: try again.
int ListenUnix(const ListenUnixOptions& options, UniqueFd* socket, SocketFile* file);

// Binds the caller's own socket, of any type. Returns 0 or a negative errno.
int BindUnixSocket(int fd, const std::string& name, SocketFile* file);

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_NET_UNIX_LISTEN_H_
