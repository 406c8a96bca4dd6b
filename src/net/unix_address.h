// Names of Unix sockets: paths, abstract names ("\0name") and paths that are too long
// for a sockaddr_un. Converts between a name and its address, and connects to a name.
// See unix(7).

#ifndef PIPEWRIGHT_SRC_NET_UNIX_ADDRESS_H_
#define PIPEWRIGHT_SRC_NET_UNIX_ADDRESS_H_

#include <sys/socket.h>
#include <sys/un.h>

#include <string>

#include "core/unique_fd.h"

namespace pipewright {

// The address of a name, ready for a system call. If the path is too long for it, the
// address holds the file open and reaches it through /proc/self/fd.
class UnixAddress {
 public:
  // The kernel wants a NUL byte behind a path, but not behind an abstract name.
  static constexpr size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;
  static constexpr size_t kMaxAbstract = sizeof(sockaddr_un::sun_path);

  // Returns 0, EINVAL (empty, NUL inside a path, abstract name too long) or ENAMETOOLONG.
  static int CheckName(const std::string& name);
  static bool IsAbstract(const std::string& name) { return name[0] == '\0'; }

  // The address of a name that fits into a sockaddr_un.
  static UnixAddress FromShortName(const std::string& name);
  // The address of any name. Returns 0, what CheckName() returns, or why a long path
  // could not be opened.
  static int Find(const std::string& name, UnixAddress* out);

  const sockaddr_un* get() const { return &data_; }
  const sockaddr* generic() const { return reinterpret_cast<const sockaddr*>(&data_); }
  socklen_t length() const { return length_; }

 private:
  sockaddr_un data_{};
  socklen_t length_ = 0;
  UniqueFd file_;
};

// The name in an address that the kernel filled; empty if the socket has no name.
std::string NameOf(const sockaddr_un& address, socklen_t length);

// The path under which /proc shows the open file `fd`.
std::string ProcPath(int fd);

// Creates a non-blocking AF_UNIX socket.
int OpenUnixSocket(int type, UniqueFd* out);

// Creates two connected AF_UNIX sockets of `type`, which may include SOCK_NONBLOCK.
int OpenSocketPair(int type, UniqueFd* first, UniqueFd* second);

// Connects a new stream socket. Returns 0 or a negative errno, and on failure leaves no
// descriptor: ENOENT ECONNREFUSED EACCES EAGAIN (backlog full) EINVAL (empty, NUL inside
// a path).
int ConnectUnix(const std::string& name, bool pass_descriptors, UniqueFd* socket);

// Connects the caller's own socket, of any type.
int ConnectUnixSocket(int fd, const std::string& name);

// Sets whether a peer may send descriptors to this socket. If not, the peer's sendmsg(2)
// fails with EPERM (Linux 6.16); older kernels drop them when the bytes are read.
void AllowDescriptors(int fd, bool allowed);

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_NET_UNIX_ADDRESS_H_
