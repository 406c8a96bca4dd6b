#include "net/unix_listen.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>

#include "net/unix_address.h"

namespace pipewright {

namespace {

std::string ParentOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string BaseOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

// Reports whether `path` is a socket file to which no socket is bound. The probe is a
// datagram connect, which a server does not notice: to a bound stream socket it fails
// with EPROTOTYPE, listening or not. A stream connect would take a server between its
// bind and its listen for dead, and would give a live one a client that sends nothing.
bool IsStale(const std::string& path) {
  struct stat status;
  if (lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  UniqueFd probe;
  if (OpenUnixSocket(SOCK_DGRAM, &probe) != 0) return false;
  return ConnectUnixSocket(probe.get(), path) == -ECONNREFUSED;
}

// If several servers find one stale file, only one may replace it. The lock is on the
// directory, so that it leaves nothing behind. If the directory may be written but not
// read, it is on a file beside the socket.
int LockFor(const std::string& path, UniqueFd* lock) {
  *lock = UniqueFd(open(ParentOf(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock->is_valid() && errno == EACCES) {
    *lock =
        UniqueFd(open((path + ".lock").c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  }
  if (!lock->is_valid()) return -errno;
  if (flock(lock->get(), LOCK_EX | LOCK_NB) == 0) return 0;
  return errno == EWOULDBLOCK ? -EBUSY : -errno;
}

// Stage 1. Takes the lock only if there is a stale file: every user who may read the
// directory can hold its lock. The caller keeps the lock until the new file is bound.
int RemoveStale(const std::string& path, UniqueFd* lock) {
  if (!IsStale(path)) return 0;
  const int err = LockFor(path, lock);
  if (err != 0) return err;
  // The file may be another server's by now.
  if (IsStale(path)) unlink(path.c_str());
  return 0;
}

bool ChangesOwner(const ListenUnixOptions& options) {
  return options.uid != ListenUnixOptions::kUnset || options.gid != ListenUnixOptions::kUnset;
}

// Stage 2. Gives the socket the mode that its file is to have: bind(2) takes it from
// there, less the umask, so the file is as narrow as asked from its first moment on. If
// the owner is yet to change, group and others get nothing until then.
int NarrowMode(int fd, const ListenUnixOptions& options) {
  if (options.mode == ListenUnixOptions::kUnset) return 0;
  const int mode = ChangesOwner(options) ? options.mode & 0700 : options.mode;
  return fchmod(fd, static_cast<mode_t>(mode)) == 0 ? 0 : -errno;
}

// A missing directory is EACCES, as in libuv's uv_pipe_bind().
int BindError(int err) { return err == ENOENT ? -EACCES : -err; }

// Stage 3.
int BindTo(int fd, const std::string& short_name) {
  const UnixAddress address = UnixAddress::FromShortName(short_name);
  return bind(fd, address.generic(), address.length()) == 0 ? 0 : BindError(errno);
}

// Stage 4, first half. Opens the file that was just bound. By name, the calls that follow
// would follow a symbolic link put in its place. EEXIST if the file is not ours any more.
int OpenBound(int directory, const std::string& name, UniqueFd* file, struct stat* status) {
  *file = UniqueFd(openat(directory, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!file->is_valid() || fstat(file->get(), status) != 0) return -errno;
  return S_ISSOCK(status->st_mode) && status->st_uid == geteuid() ? 0 : -EEXIST;
}

// Stage 4, second half. The owner comes first: the mode is meant for the new one.
int ApplyOwnerAndMode(int file, const ListenUnixOptions& options, const struct stat& status) {
  if (ChangesOwner(options)) {
    const auto uid = static_cast<uid_t>(options.uid);
    const auto gid = static_cast<gid_t>(options.gid);
    if (fchownat(file, "", uid, gid, AT_EMPTY_PATH) != 0) return -errno;
  }
  const mode_t mode = options.mode == ListenUnixOptions::kUnset
                          ? (status.st_mode & 0777) | static_cast<mode_t>(options.add_mode)
                          : static_cast<mode_t>(options.mode);
  if (mode == (status.st_mode & 07777)) return 0;
  return chmod(ProcPath(file).c_str(), mode) == 0 ? 0 : -errno;
}

// Stage 5. From here on clients can connect.
int Listen(int fd, int backlog) { return listen(fd, backlog) == 0 ? 0 : -errno; }

// Stages 4 and 5. A failure removes the bound file.
int FinishListen(int fd, int directory, const std::string& name, const ListenUnixOptions& options,
                 struct stat* status) {
  UniqueFd file;
  int err = OpenBound(directory, name, &file, status);
  if (err != 0) return err;
  err = ApplyOwnerAndMode(file.get(), options, *status);
  if (err == 0) err = Listen(fd, options.backlog);
  if (err != 0) unlinkat(directory, name.c_str(), 0);
  return err;
}

int ListenShort(int fd, int directory, const ListenUnixOptions& options, struct stat* status) {
  const int err = BindTo(fd, options.path);
  return err == 0 ? FinishListen(fd, directory, BaseOf(options.path), options, status) : err;
}

// No two sockets of this host get the same name: it has process, descriptor and time.
std::string TemporaryName(int fd) {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  char name[64];
  std::snprintf(name, sizeof(name), ".pipewright-%d-%d-%lx", getpid(), fd,
                static_cast<unsigned long>(now.tv_nsec));
  return name;
}

// Binds a long path under a short name beside it, listens, and only then links the file
// to its real name, at which it so appears ready.
int ListenLong(int fd, int directory, const ListenUnixOptions& options, struct stat* status) {
  const std::string base = BaseOf(options.path);
  const std::string temporary = TemporaryName(fd);
  int err = BindTo(fd, ProcPath(directory) + "/" + temporary);
  if (err == 0) err = FinishListen(fd, directory, temporary, options, status);
  if (err != 0) return err;
  if (linkat(directory, temporary.c_str(), directory, base.c_str(), 0) != 0) {
    err = errno == EEXIST ? -EADDRINUSE : BindError(errno);
  }
  unlinkat(directory, temporary.c_str(), 0);
  return err;
}

int ListenPath(const ListenUnixOptions& options, int fd, SocketFile* file) {
  const std::string& path = options.path;
  const UniqueFd directory(open(ParentOf(path).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory.is_valid()) return errno == ENOTDIR ? -ENOTDIR : BindError(errno);
  UniqueFd lock;
  int err = options.replace_stale ? RemoveStale(path, &lock) : 0;
  if (err == 0) err = NarrowMode(fd, options);
  if (err != 0) return err;
  struct stat status {};
  err = path.size() > UnixAddress::kMaxPath ? ListenLong(fd, directory.get(), options, &status)
                                            : ListenShort(fd, directory.get(), options, &status);
  if (err == 0) *file = SocketFile(path, status);
  return err;
}

int ListenAbstract(const ListenUnixOptions& options, int fd) {
  const int err = BindTo(fd, options.path);
  return err == 0 ? Listen(fd, options.backlog) : err;
}

}  // namespace

int ListenUnix(const ListenUnixOptions& options, UniqueFd* socket, SocketFile* file) {
  int err = UnixAddress::CheckName(options.path);
  if (err == 0) err = OpenUnixSocket(SOCK_STREAM, socket);
  if (err != 0) return err;
  // Connections inherit this from the listening socket, before they are accepted.
  AllowDescriptors(socket->get(), options.pass_descriptors);
  err = UnixAddress::IsAbstract(options.path) ? ListenAbstract(options, socket->get())
                                              : ListenPath(options, socket->get(), file);
  if (err != 0) socket->Reset();
  return err;
}

int BindUnixSocket(int fd, const std::string& name, SocketFile* file) {
  int err = UnixAddress::CheckName(name);
  if (err != 0) return err;
  if (UnixAddress::IsAbstract(name)) return BindTo(fd, name);
  const UniqueFd directory(open(ParentOf(name).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory.is_valid()) return BindError(errno);
  const std::string base = BaseOf(name);
  const std::string reachable =
      name.size() > UnixAddress::kMaxPath ? ProcPath(directory.get()) + "/" + base : name;
  if (reachable.size() > UnixAddress::kMaxPath) return -ENAMETOOLONG;
  err = BindTo(fd, reachable);
  if (err != 0) return err;
  struct stat status;
  if (fstatat(directory.get(), base.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
    *file = SocketFile(name, status);
  }
  return 0;
}

}  // namespace pipewright
