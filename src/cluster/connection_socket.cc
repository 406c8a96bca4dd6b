#include "cluster/connection_socket.h"

namespace pipewright {

int ConnectionSocket::AdoptSocket(const Napi::CallbackInfo& info, int fd) {
  int err = CheckAdoptable(fd);
  if (err != 0) return err;
  UniqueFd socket(fd);
  err = OpenSocket(info, &socket, false);
  if (err == 0) {
    Adopted(fd);
  } else {
    socket.Release();
  }
  return err;
}

void ConnectionSocket::OnEnd(int status) {
  if (has_ended_) return;
  has_ended_ = true;
  Note(EventKind::kRead, status);
}

}  // namespace pipewright
