#include "net/unix_address.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <ctime>

namespace pipewright {

namespace {

// A path must end with a NUL byte within sun_path; an abstract name need not.
constexpr size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;
constexpr size_t kMaxAbstract = sizeof(sockaddr_un::sun_path);

struct Address {
  sockaddr_un data;
  socklen_t length;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&data); }
};

Address MakeAddress(const std::string& name) {
  Address address{};
  address.data.sun_family = AF_UNIX;
  std::memcpy(address.data.sun_path, name.data(), name.size());
  const bool is_path = name[0] != '\0';
  address.length =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + (is_path ? 1 : 0));
  return address;
}

bool IsAbstract(const std::string& name) { return name[0] == '\0'; }

int CheckName(const std::string& name) {
  if (name.empty()) return -EINVAL;
  if (IsAbstract(name)) return name.size() <= kMaxAbstract ? 0 : -EINVAL;
  if (name.find('\0') != std::string::npos) return -EINVAL;
  return name.size() < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int OpenSocket(int type, UniqueFd* out) {
  *out = UniqueFd(socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return out->is_valid() ? 0 : -errno;
}

std::string ProcPath(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

int ConnectTo(int fd, const std::string& name) {
  UnixAddress address;
  const int err = UnixAddress::Find(name, &address);
  if (err != 0) return err;
  int result;
  do {
    result = connect(fd, reinterpret_cast<const sockaddr*>(address.get()), address.length());
  } while (result == -1 && errno == EINTR);
  return result == 0 ? 0 : -errno;
}

// A socket file nobody has bound. A datagram connect tells without being noticed: to
// a bound stream socket it fails with EPROTOTYPE, listening or not, while a stream
// connect would take a server between its bind and its listen for dead, and give a
// live one a client that is none.
bool IsStale(const std::string& path) {
  struct stat status;
  if (lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  UniqueFd probe;
  if (OpenSocket(SOCK_DGRAM, &probe) != 0) return false;
  return ConnectTo(probe.get(), path) == -ECONNREFUSED;
}

std::string ParentOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string BaseOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

// Of several servers that find one stale file only one may replace it. The lock is
// on the directory, so that it leaves nothing behind; where the directory may be
// written but not read, on a file beside the socket.
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

// As libuv's uv_pipe_bind has it: a missing directory is EACCES.
int BindError(int err) { return err == ENOENT ? -EACCES : -err; }

int BindTo(int fd, const std::string& name) {
  const Address address = MakeAddress(name);
  return bind(fd, address.get(), address.length) == 0 ? 0 : BindError(errno);
}

bool ChangesOwner(const ListenUnixOptions& options) {
  return options.uid != ListenUnixOptions::kUnset || options.gid != ListenUnixOptions::kUnset;
}

// The file's mode, as narrow as asked from its first moment on: bind(2) takes the
// socket's own mode, less the umask. Where the owner is yet to change, nobody but
// the present one gets anything before that.
int NarrowMode(int fd, const ListenUnixOptions& options) {
  if (options.mode == ListenUnixOptions::kUnset) return 0;
  const int mode = ChangesOwner(options) ? options.mode & 0700 : options.mode;
  return fchmod(fd, static_cast<mode_t>(mode)) == 0 ? 0 : -errno;
}

// The file that was just bound, as a descriptor: by name, what follows would follow a
// symbolic link that somebody put in its place. EEXIST where it is not ours any more.
int OpenBound(int directory, const std::string& name, UniqueFd* file, struct stat* status) {
  *file = UniqueFd(openat(directory, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!file->is_valid() || fstat(file->get(), status) != 0) return -errno;
  return S_ISSOCK(status->st_mode) && status->st_uid == geteuid() ? 0 : -EEXIST;
}

// Its owner and final mode.
int Settle(int file, const ListenUnixOptions& options, const struct stat& status) {
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

// Of this moment and this socket, so that no two are alike.
std::string TemporaryName(int fd) {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  char name[64];
  std::snprintf(name, sizeof(name), ".pipewright-%d-%d-%lx", getpid(), fd,
                static_cast<unsigned long>(now.tv_nsec));
  return name;
}

std::string Absolute(const std::string& path) {
  if (path[0] == '/') return path;
  char cwd[PATH_MAX];
  return getcwd(cwd, sizeof(cwd)) == nullptr ? path : std::string(cwd) + "/" + path;
}

int Listen(int fd, int backlog) { return listen(fd, backlog) == 0 ? 0 : -errno; }

// From the bound name on: what fails after this leaves no file.
int FinishListen(int fd, int directory, const std::string& name, const ListenUnixOptions& options,
                 struct stat* status) {
  UniqueFd file;
  int err = OpenBound(directory, name, &file, status);
  if (err != 0) return err;
  err = Settle(file.get(), options, *status);
  if (err == 0) err = Listen(fd, options.backlog);
  if (err != 0) unlinkat(directory, name.c_str(), 0);
  return err;
}

int ListenShort(int fd, int directory, const ListenUnixOptions& options, struct stat* status) {
  const int err = BindTo(fd, options.path);
  return err == 0 ? FinishListen(fd, directory, BaseOf(options.path), options, status) : err;
}

// Bound under a short name beside it, listening, and only then linked to the real
// one, where it so appears ready.
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
  // Only where there is something to replace: whoever may read the directory can hold
  // its lock.
  UniqueFd lock;
  if (options.replace_stale && IsStale(path)) {
    const int err = LockFor(path, &lock);
    if (err != 0) return err;
    if (IsStale(path)) unlink(path.c_str());
  }
  int err = NarrowMode(fd, options);
  if (err != 0) return err;
  struct stat status {};
  err = path.size() > kMaxPath ? ListenLong(fd, directory.get(), options, &status)
                               : ListenShort(fd, directory.get(), options, &status);
  if (err == 0) *file = SocketFile(Absolute(path), status.st_dev, status.st_ino);
  return err;
}

}  // namespace

int UnixAddress::Find(const std::string& name, UnixAddress* out) {
  const int err = CheckName(name);
  if (err != 0) return err;
  std::string reachable = name;
  if (!IsAbstract(name) && name.size() > kMaxPath) {
    out->file_ = UniqueFd(open(name.c_str(), O_PATH | O_CLOEXEC));
    if (!out->file_.is_valid()) return -errno;
    reachable = ProcPath(out->file_.get());
  }
  const Address address = MakeAddress(reachable);
  out->data_ = address.data;
  out->length_ = address.length;
  return 0;
}

std::string NameOf(const sockaddr_un& address, socklen_t length) {
  constexpr size_t kPathAt = offsetof(sockaddr_un, sun_path);
  if (length <= kPathAt) return std::string();
  const size_t size = length - kPathAt;
  if (address.sun_path[0] == '\0') return std::string(address.sun_path, size);
  return std::string(address.sun_path, strnlen(address.sun_path, size));
}

void SocketFile::Remove() {
  if (path_.empty()) return;
  struct stat status;
  if (lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_) {
    unlink(path_.c_str());
  }
  path_.clear();
}

int ConnectUnix(const std::string& name, bool pass_descriptors, UniqueFd* socket) {
  int err = CheckName(name);
  if (err == 0) err = OpenSocket(SOCK_STREAM, socket);
  // Before anybody can send.
  if (err == 0) AllowDescriptors(socket->get(), pass_descriptors);
  if (err == 0) err = ConnectTo(socket->get(), name);
  if (err != 0) socket->Reset();
  return err;
}

int ConnectUnixSocket(int fd, const std::string& name) { return ConnectTo(fd, name); }

int BindUnixSocket(int fd, const std::string& name, SocketFile* file) {
  int err = CheckName(name);
  if (err != 0) return err;
  if (IsAbstract(name)) return BindTo(fd, name);
  const UniqueFd directory(open(ParentOf(name).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory.is_valid()) return BindError(errno);
  const std::string base = BaseOf(name);
  const std::string reachable =
      name.size() > kMaxPath ? ProcPath(directory.get()) + "/" + base : name;
  if (reachable.size() > kMaxPath) return -ENAMETOOLONG;
  err = BindTo(fd, reachable);
  if (err != 0) return err;
  struct stat status;
  if (fstatat(directory.get(), base.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
    *file = SocketFile(Absolute(name), status.st_dev, status.st_ino);
  }
  return 0;
}

// Newer than most C libraries' headers; the same number on every architecture but
// the few that number all socket options differently.
void AllowDescriptors(int fd, bool allowed) {
#ifdef SO_PASSRIGHTS
  constexpr int kPassRights = SO_PASSRIGHTS;
#else
  constexpr int kPassRights = 83;
#endif
  const int value = allowed ? 1 : 0;
  setsockopt(fd, SOL_SOCKET, kPassRights, &value, sizeof(value));
}

int ListenUnix(const ListenUnixOptions& options, UniqueFd* socket, SocketFile* file) {
  int err = CheckName(options.path);
  if (err == 0) err = OpenSocket(SOCK_STREAM, socket);
  // Connections have it from the listening socket, from before they are accepted.
  if (err == 0) AllowDescriptors(socket->get(), options.pass_descriptors);
  if (err == 0 && IsAbstract(options.path)) {
    err = BindTo(socket->get(), options.path);
    if (err == 0) err = Listen(socket->get(), options.backlog);
  } else if (err == 0) {
    err = ListenPath(options, socket->get(), file);
  }
  if (err != 0) socket->Reset();
  return err;
}

}  // namespace pipewright
