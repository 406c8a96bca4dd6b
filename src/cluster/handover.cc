// ConnectionDispatcher: connections that come from elsewhere than a listener of its own, and those
// that go to another primary.

#include <sys/socket.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "cluster/connection_dispatcher.h"
#include "cluster/connection_state.h"
#include "core/arguments.h"
#include "net/socket_info.h"

namespace pipewright {

// While it is paused, it accepts nothing; what waits already still goes to workers.
Napi::Value ConnectionDispatcher::Pause(const Napi::CallbackInfo& info) {
  if (!is_open()) return Result(info, UV_EBADF);
  is_paused_ = true;
  return Result(info, 0);
}

Napi::Value ConnectionDispatcher::Resume(const Napi::CallbackInfo& info) {
  if (!is_open()) return Result(info, UV_EBADF);
  is_paused_ = false;
  const int err = ShareRest();
  OnRoom();
  return Result(info, err);
}

// Shares what could not be shared while it was paused: the worker or the listener may be gone.
int ConnectionDispatcher::ShareRest() {
  int err = 0;
  for (const auto& [number, sender] : std::exchange(unshared_, {})) {
    const auto& senders = schedule_.senders();
    if (std::find(senders.begin(), senders.end(), sender) == senders.end()) continue;
    for (const Source& source : sources_) {
      if (source.number == number && err == 0) err = Share(source, sender);
    }
  }
  return err;
}

// adopt(fd, number): dispatches an open connection as if the listener of that
// number had just accepted it. On failure the descriptor stays the caller's.
Napi::Value ConnectionDispatcher::Adopt(const Napi::CallbackInfo& info) {
  int fd;
  int32_t number;
  if (!is_open()) return Result(info, UV_EBADF);
  const bool is_valid = ToFd(info[0], &fd) && ToInt32(info[1], &number) && number >= 0;
  if (!is_valid) return Result(info, UV_EINVAL);
  return Result(info, AdoptFd(fd, number));
}

// takeBack(sender, id, fd, number): the same with a connection that a worker gives back, which had
// it from `sender` as `id`.
Napi::Value ConnectionDispatcher::TakeBack(const Napi::CallbackInfo& info) {
  ConnectionSender* sender = ConnectionSender::FromObject(info[0]);
  double id;
  int fd;
  int32_t number;
  if (!is_open()) return Result(info, UV_EBADF);
  const bool is_valid = sender != nullptr && ToInteger(info[1], 0, UINT32_MAX, &id) &&
                        ToFd(info[2], &fd) && ToInt32(info[3], &number) && number >= 0;
  if (!is_valid) return Result(info, UV_EINVAL);
  const int err = AdoptFd(fd, number);
  if (err != 0) return Result(info, err);
  ++handed_on_;
  // If the worker died, the copy that this process may have would go to another one, too.
  sender->Finish(static_cast<uint32_t>(id));
  return Result(info, 0);
}

// What was done with the connection before does not count as use.
int ConnectionDispatcher::AdoptFd(int fd, int32_t number) {
  int err = CheckAdoptable(fd);
  int domain = 0;
  if (err == 0) err = GetSocketOption(fd, SO_DOMAIN, &domain);
  if (err != 0) return err;
  Adopted(fd);
  Connection connection;
  connection.fd = UniqueFd(fd);
  connection.id = ++last_id_;
  connection.listener = static_cast<uint32_t>(number);
  connection.is_unix = domain == AF_UNIX;
  connection.prior = UseSoFar(fd, connection.is_unix);
  WatchForTouch(fd, connection.is_unix);
  connection.is_watched = true;
  Route(std::move(connection));
  OnAcceptedAll();
  return 0;
}

// acceptRest(listener): accepts what its backlog has, unless that is another primary's: to be
// called before it closes. None of its clients' first bytes are waited for any more. Returns how
// many connections wait for a worker.
Napi::Value ConnectionDispatcher::AcceptRest(const Napi::CallbackInfo& info) {
  Listener* listener = Listener::FromObject(info[0]);
  if (!is_open()) return Result(info, UV_EBADF);
  if (listener == nullptr || SourceOf(listener) == nullptr) return Result(info, UV_EINVAL);
  if (!is_paused_) {
    if (schedule_.kind() != Schedule::Kind::kShared) listener->AcceptRest();
    first_bytes_.ReleaseOf(SourceOf(listener)->number);
    OnAcceptedAll();
  }
  return Result(info, static_cast<int>(waiting()));
}

// takePending(): [fd, number of the listener, fd, …] of the connections that wait for a worker
// or for their clients' first bytes, oldest first. They are the caller's from then on.
Napi::Value ConnectionDispatcher::TakePending(const Napi::CallbackInfo& info) {
  Connections taken = std::exchange(pending_, {});
  taken.merge(std::exchange(asked_, {}));
  for (Connection& each : std::exchange(undecided_, {})) taken.emplace(each.id, std::move(each));
  for (Connection& each : first_bytes_.TakeAll()) taken.emplace(each.id, std::move(each));
  auto list = Napi::Array::New(info.Env(), taken.size() * 2);
  uint32_t length = 0;
  for (auto& [id, connection] : taken) {
    const int fd = connection.fd.Release();
    queue()->environment()->Track(fd);
    list.Set(length++, static_cast<double>(fd));
    list.Set(length++, static_cast<double>(connection.listener));
  }
  return list;
}

}  // namespace pipewright
