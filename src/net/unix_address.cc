#include "net/unix_address.h"

#include <fcntl.h>

#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstring>

namespace pipewright {

int UnixAddress::CheckName(const std::string& name) {
  if (name.empty()) return -EINVAL;
  if (IsAbstract(name)) return name.size() <= kMaxAbstract ? 0 : -EINVAL;
  if (name.find('\0') != std::string::npos) return -EINVAL;
  return name.size() < PATH_MAX ? 0 : -ENAMETOOLONG;
}

UnixAddress UnixAddress::FromShortName(const std::string& name) {
  UnixAddress address;
  address.data_.sun_family = AF_UNIX;
  std::memcpy(address.data_.sun_path, name.data(), name.size());
  const size_t size = name.size() + (IsAbstract(name) ? 0 : 1);
  address.length_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
  return address;
}

int UnixAddress::Find(const std::string& name, UnixAddress* out) {
  const int err = CheckName(name);
  if (err != 0) return err;
  if (IsAbstract(name) || name.size() <= kMaxPath) {
    *out = FromShortName(name);
    return 0;
  }
  UniqueFd file(open(name.c_str(), O_PATH | O_CLOEXEC));
  if (!file.is_valid()) return -errno;
  *out = FromShortName(ProcPath(file.get()));
  out->file_ = std::move(file);
  return 0;
}

std::string NameOf(const sockaddr_un& address, socklen_t length) {
  constexpr size_t kPathAt = offsetof(sockaddr_un, sun_path);
  if (length <= kPathAt) return std::string();
  const size_t size = length - kPathAt;
  if (address.sun_path[0] == '\0') return std::string(address.sun_path, size);
  // The kernel counts the NUL byte behind a path. A path of 108 bytes has none.
  return std::string(address.sun_path, strnlen(address.sun_path, size));
}

std::string ProcPath(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

int OpenUnixSocket(int type, UniqueFd* out) {
  *out = UniqueFd(socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return out->is_valid() ? 0 : -errno;
}

int OpenSocketPair(int type, UniqueFd* first, UniqueFd* second) {
  int fds[2];
  if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) != 0) return -errno;
  first->Reset(fds[0]);
  second->Reset(fds[1]);
  return 0;
}

int ConnectUnix(const std::string& name, bool pass_descriptors, UniqueFd* socket) {
  int err = UnixAddress::CheckName(name);
  if (err == 0) err = OpenUnixSocket(SOCK_STREAM, socket);
  // This comes before the connect: a connected peer can send at once.
  if (err == 0) AllowDescriptors(socket->get(), pass_descriptors);
  if (err == 0) err = ConnectUnixSocket(socket->get(), name);
  if (err != 0) socket->Reset();
  return err;
}

int ConnectUnixSocket(int fd, const std::string& name) {
  UnixAddress address;
  const int err = UnixAddress::Find(name, &address);
  if (err != 0) return err;
  int result;
  do {
    result = connect(fd, address.generic(), address.length());
  } while (result == -1 && errno == EINTR);
  return result == 0 ? 0 : -errno;
}

// SO_PASSRIGHTS is newer than the headers of most C libraries. It has the same number on
// every architecture but the few that number all socket options differently.
void AllowDescriptors(int fd, bool allowed) {
#ifdef SO_PASSRIGHTS
  constexpr int kPassRights = SO_PASSRIGHTS;
#else
  constexpr int kPassRights = 83;
#endif
  const int value = allowed ? 1 : 0;
  setsockopt(fd, SOL_SOCKET, kPassRights, &value, sizeof(value));
}

}  // namespace pipewright
