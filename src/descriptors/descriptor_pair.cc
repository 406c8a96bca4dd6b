#include "descriptors/descriptor_pair.h"

#include <sys/socket.h>

#include <cerrno>

namespace pipewright {

int OpenSocketPair(UniqueFd* first, UniqueFd* second) {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) return -errno;
  first->Reset(fds[0]);
  second->Reset(fds[1]);
  return 0;
}

}  // namespace pipewright
