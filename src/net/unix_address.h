// Names of Unix sockets: paths, abstract names ("\0name") and paths too long for a
// sockaddr_un. Connecting to them, and listening on them with mode and owner in
// force before the first client can connect. See unix(7).

#ifndef PIPEWRIGHT_SRC_NET_UNIX_ADDRESS_H_
#define PIPEWRIGHT_SRC_NET_UNIX_ADDRESS_H_

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include <string>

#include "core/unique_fd.h"

namespace pipewright {

struct ListenUnixOptions {
  static constexpr int kUnset = -1;

  std::string path;
  int mode = kUnset;  // Of the file. Unset: 0777 less the umask, as bind(2) makes it.
  int add_mode = 0;   // Bits to add to what bind(2) made.
  int uid = kUnset;   // Of the file. Unset: the process's.
  int gid = kUnset;
  bool replace_stale = false;
  int backlog = 511;
  bool pass_descriptors = false;  // Whether clients may send descriptors.
};

// The address of a name, ready for a system call. Of a path too long for it, the
// file is held open and reached through that.
class UnixAddress {
 public:
  // 0, EINVAL, ENAMETOOLONG, or why a long path could not be opened.
  static int Find(const std::string& name, UnixAddress* out);

  const sockaddr_un* get() const { return &data_; }
  socklen_t length() const { return length_; }

 private:
  sockaddr_un data_;
  socklen_t length_;
  UniqueFd file_;
};

// The name in an address that the kernel filled; empty where there is none.
std::string NameOf(const sockaddr_un& address, socklen_t length);

// The file that a server made, so that it removes no other. Nothing to remove for
// an abstract name.
class SocketFile {
 public:
  SocketFile() = default;
  SocketFile(std::string path, dev_t device, ino_t inode)
      : path_(std::move(path)), device_(device), inode_(inode) {}

  const std::string& path() const { return path_; }

  // Removes the file if it still is the one that was made; once.
  void Remove();
  // Leaves the file to somebody else, who was handed the socket.
  void Disown() { path_.clear(); }

 private:
  std::string path_;  // Absolute; empty: nothing to remove.
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// These return 0 or a negative errno, and on failure leave neither a descriptor nor a
// file. ConnectUnix: ENOENT ECONNREFUSED EACCES EAGAIN (backlog full) EINVAL (empty,
// NUL inside a path). ListenUnix: EADDRINUSE EACCES EINVAL, and with replace_stale
// EBUSY while another process is at it: try again.
int ConnectUnix(const std::string& name, bool pass_descriptors, UniqueFd* socket);
int ListenUnix(const ListenUnixOptions& options, UniqueFd* socket, SocketFile* file);

// For sockets of other types than stream, which are the caller's.
int ConnectUnixSocket(int fd, const std::string& name);
int BindUnixSocket(int fd, const std::string& name, SocketFile* file);

// Whether a peer may send descriptors to this socket; where not, its sendmsg(2) fails
// with EPERM (Linux 6.16). Older kernels drop them when the bytes are read.
void AllowDescriptors(int fd, bool allowed);

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_NET_UNIX_ADDRESS_H_
