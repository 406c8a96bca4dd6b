// ConnectionDispatcher with a function as schedule: connections wait until JavaScript has chosen
// their workers, and before that, if it is to see what their clients have sent, for that.

#include <algorithm>
#include <utility>

#include "cluster/connection_dispatcher.h"
#include "cluster/connection_state.h"
#include "core/arguments.h"
#include "net/socket_info.h"

namespace pipewright {

namespace {

bool SpeaksFirst(const Connection& connection) { return (connection.listener & kSpeaksFirst) != 0; }

}  // namespace

// Where the server speaks first, the client may say nothing before that: its bytes are not waited
// for.
void ConnectionDispatcher::Ask(Connection connection) {
  if (peek_bytes_ == 0 || SpeaksFirst(connection)) return AddUndecided(std::move(connection));
  char byte;
  const bool is_watched = connection.is_watched && connection.is_unix;
  if (PeekUnread(connection.fd.get(), is_watched, &byte, 1) != UV_EAGAIN) {
    return AddUndecided(std::move(connection));
  }
  const size_t workers = std::max<size_t>(schedule_.senders().size(), 1);
  if (first_bytes_.size() >= max_unacknowledged_ * workers) first_bytes_.ReleaseOldest();
  first_bytes_.Wait(std::move(connection));
}

void ConnectionDispatcher::OnFirstBytes(uv_poll_t* poll, int, int) {
  auto* self = static_cast<ConnectionDispatcher*>(
      HandleWrap::From(reinterpret_cast<const uv_handle_t*>(poll)));
  self->first_bytes_.OnReadable();
}

// Drops a connection whose client has gone without a byte, unless the server was to speak first.
void ConnectionDispatcher::AddUndecided(Connection connection) {
  if (peek_bytes_ > 0) {
    connection.bytes.resize(peek_bytes_);
    const bool is_watched = connection.is_watched && connection.is_unix;
    const ssize_t count =
        PeekUnread(connection.fd.get(), is_watched, connection.bytes.data(), peek_bytes_);
    connection.bytes.resize(static_cast<size_t>(std::max<ssize_t>(count, 0)));
    if (count <= 0 && count != UV_EAGAIN && !SpeaksFirst(connection)) {
      ++dropped_;
      connection.fd.Reset();
      return queue()->environment()->DescriptorClosed();
    }
  }
  if (undecided_.empty()) Note(EventKind::kChoice);
  undecided_.push_back(std::move(connection));
}

// Returns [{ id, listener, client, bytes }] of the connections that are to be chosen for. `client`
// is { address, family, port } over TCP, and { pid, uid, gid, groups } over a Unix socket.
Napi::Value ConnectionDispatcher::TakeUndecided(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::vector<Connection> undecided = std::exchange(undecided_, {});
  auto list = Napi::Array::New(env, undecided.size());
  for (uint32_t i = 0; i < undecided.size(); ++i) {
    Connection& connection = undecided[i];
    const int fd = connection.fd.get();
    auto object = Napi::Object::New(env);
    object.Set("id", connection.id);
    object.Set("listener", connection.listener);
    object.Set("client", connection.is_unix ? CredentialsOfPeer(env, fd) : NameOfPeer(env, fd));
    object.Set("bytes",
               Napi::Buffer<char>::Copy(env, connection.bytes.data(), connection.bytes.size()));
    list.Set(i, object);
    connection.bytes.clear();
    asked_.insert_or_assign(connection.id, std::move(connection));
  }
  return list;
}

// choose(ids, slots): a Uint32Array of connections that were taken, and for each, in an
// Int32Array, the slot of the worker that gets it, or -1 if any may have it.
Napi::Value ConnectionDispatcher::ChooseWorkers(const Napi::CallbackInfo& info) {
  uv_buf_t ids;
  uv_buf_t slots;
  if (!is_open()) return Result(info, UV_EBADF);
  if (!ToBytes(info[0], &ids) || !ToBytes(info[1], &slots)) return Result(info, UV_EINVAL);
  const size_t count = std::min(ids.len, slots.len) / sizeof(uint32_t);
  for (size_t i = 0; i < count; ++i) {
    const auto place = asked_.find(reinterpret_cast<const uint32_t*>(ids.base)[i]);
    if (place == asked_.end()) continue;
    Connection connection = std::move(place->second);
    asked_.erase(place);
    connection.slot = reinterpret_cast<const int32_t*>(slots.base)[i];
    Place(std::move(connection));
  }
  OnAcceptedAll();
  OnRoom();
  return Result(info, 0);
}

}  // namespace pipewright
