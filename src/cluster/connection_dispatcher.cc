#include "cluster/connection_dispatcher.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "cluster/connection_state.h"
#include "core/arguments.h"
#include "core/class_methods.h"
#include "net/socket_info.h"

namespace pipewright {

Napi::Function ConnectionDispatcher::Define(Napi::Env env, CompletionQueue* queue) {
  ClassMethods<ConnectionDispatcher> methods;
  methods.AddHandle()
      .Add("open", &ConnectionDispatcher::OpenDispatcher)
      .Add("addListener", &ConnectionDispatcher::AddListener)
      .Add("addWorker", &ConnectionDispatcher::AddWorker)
      .Add("removeWorker", &ConnectionDispatcher::RemoveWorker)
      .Add("getCounters", &ConnectionDispatcher::Counters)
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
                 reinterpret_cast<uv_handle_t*>(&timer_)) {}

// open(leastConnections, maxUnacknowledged, handover)
Napi::Value ConnectionDispatcher::OpenDispatcher(const Napi::CallbackInfo& info) {
  bool is_least = false;
  int32_t most;
  int32_t handover;
  const bool is_valid = ToBool(info[0], &is_least) && ToInt32(info[1], &most) && most > 0 &&
                        ToInt32(info[2], &handover) && handover >= 0;
  if (!is_valid) return Result(info, UV_EINVAL);
  const int err = Open(info, [&](uv_loop_t* loop) { return uv_timer_init(loop, &timer_); });
  if (err != 0) return Result(info, err);
  schedule_ = is_least ? Schedule::kLeastConnections : Schedule::kRoundRobin;
  max_unacknowledged_ = static_cast<size_t>(most);
  handover_ = static_cast<uint64_t>(handover);
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
  return Result(info, 0);
}

// addWorker(sender): an open ConnectionSender that no dispatcher has.
Napi::Value ConnectionDispatcher::AddWorker(const Napi::CallbackInfo& info) {
  ConnectionSender* sender = ConnectionSender::FromObject(info[0]);
  if (!is_open()) return Result(info, UV_EBADF);
  if (sender == nullptr || !sender->Join(this)) return Result(info, UV_EINVAL);
  senders_.push_back(sender);
  OnRoom();
  return Result(info, 0);
}

// removeWorker(sender): to be called once the worker has ended. Returns how many connections
// that it has not used go to other workers.
Napi::Value ConnectionDispatcher::RemoveWorker(const Napi::CallbackInfo& info) {
  ConnectionSender* sender = ConnectionSender::FromObject(info[0]);
  if (!is_open()) return Result(info, UV_EBADF);
  if (sender == nullptr) return Result(info, UV_EINVAL);
  return Result(info, static_cast<int>(Remove(sender)));
}

bool ConnectionDispatcher::Forget(ConnectionSender* sender) {
  const auto place = std::find(senders_.begin(), senders_.end(), sender);
  if (place == senders_.end()) return false;
  const auto index = static_cast<size_t>(place - senders_.begin());
  senders_.erase(place);
  if (index < next_) --next_;
  return true;
}

size_t ConnectionDispatcher::Remove(ConnectionSender* sender) {
  if (!Forget(sender)) return 0;
  const uint64_t ended = sender->ended();
  Connections untouched = sender->GiveBack();
  const size_t count = untouched.size();
  pending_.merge(untouched);
  moved_ += count;
  ended_ += sender->ended() - ended;
  OnRoom();
  return count;
}

// Accepting.

const ConnectionDispatcher::Source* ConnectionDispatcher::SourceOf(const Listener* listener) const {
  for (const Source& source : sources_) {
    if (source.listener == listener) return &source;
  }
  return nullptr;
}

bool ConnectionDispatcher::HasRoom() {
  if (is_paused_) {
    is_held_ = true;
    return false;
  }
  const bool has_room =
      pending_.empty() && std::any_of(senders_.begin(), senders_.end(),
                                      [](const ConnectionSender* s) { return s->HasRoom(); });
  if (!has_room) is_held_ = true;
  NoteRoom(has_room);
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
  WatchForTouch(connection.fd.get(), source->is_unix);
  ++accepted_;
  ConnectionSender* sender = Choose();
  if (sender != nullptr) return sender->Assign(std::move(connection));
  pending_.emplace(connection.id, std::move(connection));
}

void ConnectionDispatcher::OnAcceptedAll() {
  for (ConnectionSender* sender : senders_) sender->Flush();
}

ConnectionSender* ConnectionDispatcher::Choose() {
  ConnectionSender* chosen = nullptr;
  const size_t count = senders_.size();
  for (size_t i = 0; i < count; ++i) {
    const size_t index = (next_ + i) % count;
    ConnectionSender* candidate = senders_[index];
    if (!candidate->HasRoom()) continue;
    if (chosen != nullptr && candidate->active() >= chosen->active()) continue;
    chosen = candidate;
    if (schedule_ == Schedule::kRoundRobin) {
      next_ = (index + 1) % count;
      return chosen;
    }
  }
  if (count > 0) next_ = (next_ + 1) % count;
  return chosen;
}

void ConnectionDispatcher::SendPending() {
  while (!pending_.empty()) {
    ConnectionSender* sender = Choose();
    if (sender == nullptr) break;
    sender->Assign(std::move(pending_.begin()->second));
    pending_.erase(pending_.begin());
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

Napi::Value ConnectionDispatcher::Counters(const Napi::CallbackInfo& info) {
  auto counters = Napi::Object::New(info.Env());
  counters.Set("accepted", static_cast<double>(accepted_));
  counters.Set("pending", static_cast<double>(pending_.size()));
  counters.Set("moved", static_cast<double>(moved_));
  counters.Set("ended", static_cast<double>(ended_));
  counters.Set("handedOn", static_cast<double>(handed_on_));
  return counters;
}

// Ending.

void ConnectionDispatcher::OnListenerClosed(Listener* listener) {
  const auto is_it = [listener](const Source& source) { return source.listener == listener; };
  sources_.erase(std::remove_if(sources_.begin(), sources_.end(), is_it), sources_.end());
}

void ConnectionDispatcher::BeforeClose() {
  const std::vector<Source> sources = std::move(sources_);
  sources_.clear();
  for (const Source& source : sources) source.listener->SetSink(nullptr);
  for (ConnectionSender* sender : senders_) sender->Leave();
  senders_.clear();
  pending_.clear();
}

}  // namespace pipewright
