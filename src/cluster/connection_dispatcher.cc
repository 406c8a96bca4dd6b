#include "cluster/connection_dispatcher.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "cluster/connection_state.h"
#include "core/arguments.h"
#include "core/class_methods.h"
#include "net/socket_info.h"

namespace pipewright {

namespace {

bool SpeaksFirst(const Connection& connection) { return (connection.listener & kSpeaksFirst) != 0; }

}  // namespace

Napi::Function ConnectionDispatcher::Define(Napi::Env env, CompletionQueue* queue) {
  ClassMethods<ConnectionDispatcher> methods;
  methods.AddHandle()
      .Add("open", &ConnectionDispatcher::OpenDispatcher)
      .Add("addListener", &ConnectionDispatcher::AddListener)
      .Add("addWorker", &ConnectionDispatcher::AddWorker)
      .Add("removeWorker", &ConnectionDispatcher::RemoveWorker)
      .Add("takeUndecided", &ConnectionDispatcher::TakeUndecided)
      .Add("choose", &ConnectionDispatcher::ChooseWorkers)
      .Add("getCounters", &ConnectionDispatcher::Counters)
      .Add("shareTable", &ConnectionDispatcher::ShareTable)
      .Add("pause", &ConnectionDispatcher::Pause)
      .Add("resume", &ConnectionDispatcher::Resume)
      .Add("adopt", &ConnectionDispatcher::Adopt)
      .Add("takeBack", &ConnectionDispatcher::TakeBack)
      .Add("acceptRest", &ConnectionDispatcher::AcceptRest)
      .Add("takePending", &ConnectionDispatcher::TakePending);
  return DefineClass(env, "ConnectionDispatcher", methods.list(), queue);
}

ConnectionDispatcher::ConnectionDispatcher(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<ConnectionDispatcher>(info),
      HandleWrap(this, static_cast<CompletionQueue*>(info.Data()),
                 reinterpret_cast<uv_handle_t*>(&poll_)),
      first_bytes_(queue()->environment(),
                   [this](Connection connection) { AddUndecided(std::move(connection)); }) {}

bool ConnectionDispatcher::ReadOptions(const Napi::Object& options) {
  std::string kind_name;
  std::string sticky_by;
  Schedule::Kind kind;
  double most = 0;
  double keep_time = 0;
  double first_bytes_timeout = 0;
  double peek_bytes = 0;
  const bool is_valid =
      ToString(options.Get("schedule"), &kind_name) && Schedule::FindKind(kind_name, &kind) &&
      ToString(options.Get("stickyBy"), &sticky_by) &&
      ToInteger(options.Get("maxUnacknowledged"), 1, INT32_MAX, &most) &&
      ToInteger(options.Get("keepTime"), 0, INT32_MAX, &keep_time) &&
      ToInteger(options.Get("firstBytesTimeout"), 0, INT32_MAX, &first_bytes_timeout) &&
      ToInteger(options.Get("peekBytes"), 0, INT32_MAX, &peek_bytes);
  if (!is_valid) return false;
  schedule_.set_kind(kind);
  sticky_by_ = sticky_by == "pid" ? StickyBy::kPid : StickyBy::kUid;
  max_unacknowledged_ = static_cast<size_t>(most);
  keep_time_ = static_cast<uint64_t>(keep_time);
  first_bytes_.set_timeout(static_cast<uint64_t>(first_bytes_timeout));
  peek_bytes_ = static_cast<size_t>(peek_bytes);
  return true;
}

// open({ schedule, stickyBy, maxUnacknowledged, keepTime, firstBytesTimeout, peekBytes })
Napi::Value ConnectionDispatcher::OpenDispatcher(const Napi::CallbackInfo& info) {
  if (!is_unopened()) return Result(info, CheckUnopened());
  if (!info[0].IsObject() || !ReadOptions(info[0].As<Napi::Object>())) {
    return Result(info, UV_EINVAL);
  }
  int err = first_bytes_.Open();
  if (err != 0) return Result(info, err);
  err = Open(info, [&](uv_loop_t* loop) { return uv_poll_init(loop, &poll_, first_bytes_.fd()); });
  if (err != 0) return Result(info, err);
  uv_unref(reinterpret_cast<uv_handle_t*>(&poll_));
  const bool looks = schedule_.kind() == Schedule::Kind::kFunction && peek_bytes_ > 0;
  if (looks) uv_poll_start(&poll_, UV_READABLE, OnFirstBytes);
  return Result(info, 0);
}

// addListener(listener, number): from now on its connections come here.
Napi::Value ConnectionDispatcher::AddListener(const Napi::CallbackInfo& info) {
  Listener* listener = Listener::FromObject(info[0]);
  int32_t number;
  if (!is_open()) return Result(info, UV_EBADF);
  const bool is_valid = listener != nullptr && ToInt32(info[1], &number) && number >= 0;
  if (!is_valid) return Result(info, UV_EINVAL);
  const int err = listener->SetSink(this);
  if (err != 0) return Result(info, err);
  int domain = 0;
  GetSocketOption(listener->fd(), SO_DOMAIN, &domain);
  sources_.push_back({listener, static_cast<uint32_t>(number), domain == AF_UNIX});
  int shared = 0;
  for (ConnectionSender* sender : schedule_.senders()) {
    if (shared == 0) shared = Share(sources_.back(), sender);
  }
  return Result(info, shared);
}

// addWorker(sender, slot): an open ConnectionSender that no dispatcher has. `slot` is its place
// among the workers, in which it may succeed another.
Napi::Value ConnectionDispatcher::AddWorker(const Napi::CallbackInfo& info) {
  ConnectionSender* sender = ConnectionSender::FromObject(info[0]);
  int32_t slot;
  if (!is_open()) return Result(info, UV_EBADF);
  const bool is_valid = sender != nullptr && ToInt32(info[1], &slot) && slot >= 0 &&
                        sender->Join(this, static_cast<uint32_t>(slot));
  if (!is_valid) return Result(info, UV_EINVAL);
  schedule_.Add(sender);
  int err = 0;
  for (const Source& source : sources_) {
    if (err == 0) err = Share(source, sender);
  }
  OnRoom();
  return Result(info, err);
}

// With schedule 'shared', gives the worker a copy of the listening socket, if it is paused only
// later. Returns 0 or a negative errno.
int ConnectionDispatcher::Share(const Source& source, ConnectionSender* sender) {
  if (schedule_.kind() != Schedule::Kind::kShared) return 0;
  if (is_paused_) {
    unshared_.emplace_back(source.number, sender);
    return 0;
  }
  Connection connection;
  connection.fd.Reset(fcntl(source.listener->fd(), F_DUPFD_CLOEXEC, 0));
  if (!connection.fd.is_valid()) return -errno;
  connection.id = ++last_id_;
  connection.listener = source.number | kIsListener;
  connection.is_unix = source.is_unix;
  connection.is_watched = true;
  connection.slot = static_cast<int32_t>(sender->slot());
  sender->Assign(std::move(connection));
  sender->Flush();
  return 0;
}

// removeWorker(sender): to be called once the worker has ended. Returns how many connections
// that it has not used go to other workers.
Napi::Value ConnectionDispatcher::RemoveWorker(const Napi::CallbackInfo& info) {
  ConnectionSender* sender = ConnectionSender::FromObject(info[0]);
  if (!is_open()) return Result(info, UV_EBADF);
  if (sender == nullptr) return Result(info, UV_EINVAL);
  return Result(info, static_cast<int>(Remove(sender)));
}

size_t ConnectionDispatcher::Remove(ConnectionSender* sender) {
  if (!Forget(sender)) return 0;
  const uint64_t ended = sender->ended();
  Connections untouched = sender->GiveBack();
  const size_t count = untouched.size();
  moved_ += count;
  ended_ += sender->ended() - ended;
  Return(std::move(untouched));
  return count;
}

void ConnectionDispatcher::Return(Connections connections) {
  if (schedule_.kind() == Schedule::Kind::kFunction) {
    for (auto& [id, connection] : connections) Ask(std::move(connection));
  } else {
    pending_.merge(connections);
  }
  OnRoom();
}

// Accepting.

// shareTable(): the workers are threads of this process.
Napi::Value ConnectionDispatcher::ShareTable(const Napi::CallbackInfo& info) {
  if (!is_open()) return Result(info, UV_EBADF);
  shared_table_ = std::make_unique<SharedTable>(queue()->environment(), [this] { OnRoom(); });
  return Result(info, 0);
}

const ConnectionDispatcher::Source* ConnectionDispatcher::SourceOf(const Listener* listener) const {
  for (const Source& source : sources_) {
    if (source.listener == listener) return &source;
  }
  return nullptr;
}

// Some connections may wait for one worker while the others have room. If they get too many, all
// wait: else they would fill this process.
bool ConnectionDispatcher::HasRoom() {
  if (is_paused_ || !TableHasRoom()) {
    is_held_ = true;
    return false;
  }
  const size_t most = schedule_.is_bound() ? max_unacknowledged_ : 1;
  const bool is_shared = schedule_.kind() == Schedule::Kind::kShared;
  const bool has_room = !is_shared && waiting() < most && schedule_.HasRoom();
  if (!has_room) is_held_ = true;
  if (!is_shared) NoteRoom(has_room);
  return has_room;
}

bool ConnectionDispatcher::TableHasRoom() {
  if (shared_table_ == nullptr) return true;
  size_t promised = waiting() + first_bytes_.size();
  for (const ConnectionSender* sender : schedule_.senders()) promised += sender->untaken();
  const bool has_room = shared_table_->HasRoom(promised);
  if (!has_room) NoteRoom(false);
  return has_room;
}

// Notes it when all workers are full, and when one has room again.
void ConnectionDispatcher::NoteRoom(bool has_room) {
  if (has_room == had_room_) return;
  had_room_ = has_room;
  Note(EventKind::kRoom, has_room ? 1 : 0);
}

void ConnectionDispatcher::OnAccepted(const Listener* listener, UniqueFd fd) {
  const Source* source = SourceOf(listener);
  Connection connection;
  connection.fd = std::move(fd);
  connection.id = ++last_id_;
  connection.listener = source->number;
  connection.is_unix = source->is_unix;
  ++accepted_;
  Route(std::move(connection));
}

void ConnectionDispatcher::Route(Connection connection) {
  if (schedule_.kind() == Schedule::Kind::kSticky) {
    connection.client = HashOfClient(connection.fd.get(), connection.is_unix, sticky_by_);
  }
  if (schedule_.kind() == Schedule::Kind::kFunction) return Ask(std::move(connection));
  Place(std::move(connection));
}

void ConnectionDispatcher::OnAcceptedAll() {
  for (ConnectionSender* sender : schedule_.senders()) sender->Flush();
}

void ConnectionDispatcher::Place(Connection connection) {
  ConnectionSender* sender = schedule_.Choose(connection);
  if (sender != nullptr) return Give(sender, std::move(connection));
  pending_.emplace(connection.id, std::move(connection));
}

void ConnectionDispatcher::Give(ConnectionSender* sender, Connection connection) {
  if (!connection.is_watched) {
    WatchForTouch(connection.fd.get(), connection.is_unix);
    connection.is_watched = true;
  }
  sender->Assign(std::move(connection));
}

void ConnectionDispatcher::SendPending() {
  for (auto place = pending_.begin(); place != pending_.end();) {
    // A listening socket is for this one worker, and a successor has got its own copy.
    const Connection& connection = place->second;
    if (connection.is_listener() && schedule_.InSlot(connection.slot) == nullptr) {
      place = pending_.erase(place);
      continue;
    }
    ConnectionSender* sender = schedule_.Choose(place->second);
    if (sender == nullptr && !schedule_.is_bound()) break;
    if (sender == nullptr) {
      ++place;
      continue;
    }
    Give(sender, std::move(place->second));
    place = pending_.erase(place);
  }
  OnAcceptedAll();
}

void ConnectionDispatcher::OnRoom() {
  if (!is_open()) return;
  if (!pending_.empty()) SendPending();
  if (!is_held_ || !HasRoom()) return;
  is_held_ = false;
  for (const Source& source : sources_) source.listener->Resume();
}

// With a function as schedule.

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

// pending: wait for a worker. silent: wait for their clients' first bytes.
Napi::Value ConnectionDispatcher::Counters(const Napi::CallbackInfo& info) {
  auto counters = Napi::Object::New(info.Env());
  counters.Set("accepted", static_cast<double>(accepted_));
  counters.Set("pending", static_cast<double>(waiting()));
  counters.Set("silent", static_cast<double>(first_bytes_.size()));
  counters.Set("moved", static_cast<double>(moved_));
  counters.Set("ended", static_cast<double>(ended_));
  counters.Set("dropped", static_cast<double>(dropped_));
  counters.Set("handedOn", static_cast<double>(handed_on_));
  return counters;
}

// Ending.

void ConnectionDispatcher::OnListenerClosed(Listener* listener) {
  const auto is_it = [listener](const Source& source) { return source.listener == listener; };
  sources_.erase(std::remove_if(sources_.begin(), sources_.end(), is_it), sources_.end());
}

void ConnectionDispatcher::BeforeClose() {
  if (shared_table_ != nullptr) shared_table_->Close();
  const std::vector<Source> sources = std::move(sources_);
  sources_.clear();
  for (const Source& source : sources) source.listener->SetSink(nullptr);
  for (ConnectionSender* sender : schedule_.senders()) sender->Leave();
  schedule_.Clear();
  pending_.clear();
  undecided_.clear();
  asked_.clear();
  uv_poll_stop(&poll_);
  first_bytes_.Close();
}

}  // namespace pipewright
