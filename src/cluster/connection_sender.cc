#include "cluster/connection_sender.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "cluster/connection_dispatcher.h"
#include "cluster/connection_state.h"
#include "core/arguments.h"
#include "core/class_methods.h"

namespace pipewright {

namespace {

constexpr napi_type_tag kSenderTag = {0x31d8e5b0947c4a2f, 0xb6027fd19c5e8a44};

constexpr int kMaxAnswers = 64;          // Read in one turn: a worker may send without end.
constexpr int kMaxQueuedAnswers = 4096;  // More than the socket of a dead worker holds.
constexpr uint64_t kFirstCheck = 5;      // Milliseconds.
constexpr uint64_t kMaxInterval = 1000;  // Milliseconds.

void SetPage(Napi::Object* out, const WorkerCounters& counters) {
  constexpr double kMicrosecondsPerMillisecond = 1000;
  const auto read = [](const std::atomic<uint64_t>& counter) {
    return static_cast<double>(counter.load(std::memory_order_relaxed));
  };
  out->Set("accepted", read(counters.accepted));
  out->Set("closed", read(counters.closed));
  out->Set("heartbeat", read(counters.heartbeat));
  out->Set("loopDelay", read(counters.loop_delay) / kMicrosecondsPerMillisecond);
}

}  // namespace

Napi::Function ConnectionSender::Define(Napi::Env env, CompletionQueue* queue) {
  ClassMethods<ConnectionSender> methods;
  methods.AddHandle()
      .Add("open", &ConnectionSender::OpenFd)
      .Add("createPage", &ConnectionSender::CreatePage)
      .Add("pause", &ConnectionSender::Pause)
      .Add("resume", &ConnectionSender::Resume)
      .Add("getCounters", &ConnectionSender::Counters);
  return DefineClass(env, "ConnectionSender", methods.list(), queue);
}

ConnectionSender* ConnectionSender::FromObject(const Napi::Value& value) {
  if (!value.IsObject()) return nullptr;
  const auto object = value.As<Napi::Object>();
  return object.CheckTypeTag(&kSenderTag) ? Unwrap(object) : nullptr;
}

ConnectionSender::ConnectionSender(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<ConnectionSender>(info),
      ConnectionSocket(this, static_cast<CompletionQueue*>(info.Data())),
      check_timer_(environment(), [this] { CheckTaken(); }) {
  info.This().As<Napi::Object>().TypeTag(&kSenderTag);
}

// open(fd): on failure the descriptor stays the caller's.
Napi::Value ConnectionSender::OpenFd(const Napi::CallbackInfo& info) {
  int fd;
  if (!ToFd(info[0], &fd)) return Result(info, UV_EINVAL);
  if (!is_unopened()) return Result(info, UV_EBUSY);
  const int err = AdoptSocket(info, fd);
  if (err == 0) UpdatePoll();
  return Result(info, err);
}

// createPage(): makes the page that the worker shares with this process. Returns a descriptor of
// it for the worker, or a negative errno.
Napi::Value ConnectionSender::CreatePage(const Napi::CallbackInfo& info) {
  UniqueFd fd;
  if (page_.is_mapped()) return Result(info, UV_EBUSY);
  const int err = page_.Create(&fd);
  if (err != 0) return Result(info, err);
  environment()->Track(fd.get());
  return Result(info, fd.Release());
}

// While it is paused, the worker gets no connections.
Napi::Value ConnectionSender::Pause(const Napi::CallbackInfo& info) {
  is_paused_ = true;
  return Result(info, is_open() ? 0 : UV_EBADF);
}

Napi::Value ConnectionSender::Resume(const Napi::CallbackInfo& info) {
  is_paused_ = false;
  if (dispatcher_ != nullptr) dispatcher_->OnRoom();
  return Result(info, is_open() ? 0 : UV_EBADF);
}

// waitedFor: milliseconds since the oldest connection was sent that is not acknowledged.
// accepted, closed, heartbeat (milliseconds of CLOCK_MONOTONIC; 0: none yet) and loopDelay
// (milliseconds) are the worker's word.
Napi::Value ConnectionSender::Counters(const Napi::CallbackInfo& info) {
  uint64_t waited = 0;
  for (const auto& [id, connection] : connections_) {
    if (!connection.is_taken) waited = std::max(waited, Now() - connection.since);
  }
  auto counters = Napi::Object::New(info.Env());
  counters.Set("assigned", assigned_);
  counters.Set("active", static_cast<double>(active()));
  counters.Set("unacknowledged", static_cast<double>(untaken_));
  counters.Set("kept", static_cast<double>(connections_.size()));
  counters.Set("ended", static_cast<double>(ended_));
  counters.Set("refused", static_cast<double>(refused_));
  counters.Set("waitedFor", static_cast<double>(waited));
  if (page_.is_mapped()) SetPage(&counters, *page_.counters());
  return counters;
}

bool ConnectionSender::Join(ConnectionDispatcher* dispatcher, uint32_t slot) {
  if (!is_open() || dispatcher_ != nullptr || has_ended()) return false;
  dispatcher_ = dispatcher;
  slot_ = slot;
  return true;
}

// Sending.

bool ConnectionSender::HasRoom() const {
  return is_available() && !is_full_ && untaken_ < dispatcher_->max_unacknowledged();
}

// The worker's word is not trusted to be possible. Connections on their way to it count too, and so
// do those that it accepts by itself.
uint64_t ConnectionSender::active() const {
  if (!page_.is_mapped()) return assigned_;
  const WorkerCounters& counters = *page_.counters();
  const uint64_t closed = counters.closed.load(std::memory_order_relaxed);
  const uint64_t accepted = counters.accepted.load(std::memory_order_relaxed);
  const uint64_t all = std::max<uint64_t>(assigned_ - refused_, accepted);
  return all - std::min(closed, all);
}

void ConnectionSender::Assign(Connection connection) {
  const uint32_t id = connection.id;
  connection.since = Now();
  connection.is_taken = false;
  connection.message = 0;
  if (!connection.is_listener()) ++assigned_;
  ++untaken_;
  staged_.push_back(id);
  connections_.insert_or_assign(id, std::move(connection));
}

void ConnectionSender::Flush() {
  for (size_t at = 0; at < staged_.size() && !cannot_send_; at += kMaxPerMessage) {
    const size_t count = std::min(kMaxPerMessage, staged_.size() - at);
    uint32_t records[kMaxPerMessage][2];
    OutgoingMessage message;
    message.report = OutgoingMessage::Report::kSent;
    ++messages_;
    for (size_t i = 0; i < count; ++i) {
      Connection& connection = connections_[staged_[at + i]];
      connection.message = messages_;
      records[i][0] = connection.id;
      records[i][1] = connection.listener;
      message.descriptors.push_back(connection.fd.get());
    }
    uv_buf_t bytes = uv_buf_init(reinterpret_cast<char*>(records),
                                 static_cast<unsigned int>(count * sizeof(records[0])));
    const int result = writer()->Enqueue(std::move(message), {&bytes, 1, nullptr, 0});
    // The connections stay here: GiveBack() returns them.
    if (result < 0 && !cannot_send_) {
      cannot_send_ = true;
      Note(EventKind::kRead, result);
    }
  }
  staged_.clear();
}

// Answers of the worker.

void ConnectionSender::UpdatePoll() {
  const int reads = has_ended() ? 0 : UV_READABLE;
  const int writes = writer()->wants_to_write() && !has_ended() && !cannot_send_ ? UV_WRITABLE : 0;
  Poll(reads | writes, OnReady);
}

void ConnectionSender::OnReady(uv_poll_t* poll, int status, int events) {
  auto* self =
      static_cast<ConnectionSender*>(HandleWrap::From(reinterpret_cast<const uv_handle_t*>(poll)));
  const int ready = self->ReadyEvents(status, events);
  if ((ready & UV_WRITABLE) != 0) self->writer()->SendQueued();
  if ((ready & UV_READABLE) != 0) self->ReadAnswers(kMaxAnswers);
  self->UpdatePoll();
  if (self->dispatcher_ != nullptr) self->dispatcher_->OnRoom();
}

void ConnectionSender::ReadAnswers(int most) {
  for (int i = 0; i < most && !has_ended(); ++i) {
    uint32_t numbers[kMaxNumbers];
    const ssize_t size = recv(fd(), numbers, sizeof(numbers), MSG_DONTWAIT);
    // ECONNRESET comes once, before what a worker has sent that died with messages unread.
    if (size < 0 && (errno == EINTR || errno == ECONNRESET)) continue;
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) return OnEnd(size == 0 ? UV_EOF : -errno);
    OnAnswer(numbers, static_cast<size_t>(size) / sizeof(numbers[0]));
  }
}

void ConnectionSender::OnAnswer(const uint32_t* numbers, size_t count) {
  if (count < kAnswerHead) return;
  const uint32_t* at = numbers + kAnswerHead;
  const uint32_t* end = numbers + count;
  const auto end_of = [&](size_t list) {
    return at + std::min<size_t>(numbers[list], static_cast<size_t>(end - at));
  };
  for (const uint32_t* last = end_of(0); at < last; ++at) Finish(*at);
  for (const uint32_t* last = end_of(1); at < last; ++at) Take(*at);
  Connections refused;
  for (const uint32_t* last = end_of(2); at < last; ++at) Refuse(*at, &refused);
  for (const uint32_t* last = end_of(3); at < last; ++at) Finish(*at);
  is_full_ = numbers[kIsFull] != 0 || !refused.empty();
  if (!refused.empty() && dispatcher_ != nullptr) dispatcher_->Return(std::move(refused));
}

// A worker can know of what was sent to it alone. A descriptor that waits to be sent must not be
// closed: its number would be another's by then.
bool ConnectionSender::IsSent(const Connection& connection) const {
  return connection.message != 0 && connection.message + writer()->queued_messages() <= messages_;
}

void ConnectionSender::Finish(uint32_t id) {
  const auto place = connections_.find(id);
  if (place != connections_.end() && IsSent(place->second)) Release(place);
}

// The worker has not got it.
void ConnectionSender::Refuse(uint32_t id, Connections* refused) {
  const auto place = connections_.find(id);
  if (place == connections_.end() || place->second.is_taken || !IsSent(place->second)) return;
  --untaken_;
  if (!place->second.is_listener()) ++refused_;
  refused->insert(connections_.extract(place));
}

void ConnectionSender::Take(uint32_t id) {
  const auto place = connections_.find(id);
  if (place == connections_.end() || place->second.is_taken || !IsSent(place->second)) return;
  Connection& connection = place->second;
  connection.is_taken = true;
  --untaken_;
  if (IsLetGo(connection)) return Release(place);
  connection.since = Now();
  connection.interval = kFirstCheck;
  CheckLater(connection.interval, id);
}

// Reports whether this process needs its copy of a taken connection no more.
bool ConnectionSender::IsLetGo(const Connection& connection) const {
  const int fd = connection.fd.get();
  return IsTouched(fd, connection.is_unix, connection.prior) || IsOver(fd);
}

void ConnectionSender::CheckLater(uint64_t delay, uint32_t id) {
  checks_.emplace(Now() + delay, id);
  check_timer_.StartBy(delay, false);
}

void ConnectionSender::CheckTaken() {
  const uint64_t now = Now();
  while (!checks_.empty() && checks_.begin()->first <= now) {
    const uint32_t id = checks_.begin()->second;
    checks_.erase(checks_.begin());
    const auto place = connections_.find(id);
    if (place == connections_.end()) continue;
    Connection& connection = place->second;
    if (IsLetGo(connection) || now - connection.since >= dispatcher_->keep_time()) {
      Release(place);
      continue;
    }
    connection.interval = std::min(connection.interval * 2, kMaxInterval);
    checks_.emplace(now + connection.interval, id);
  }
  if (!checks_.empty()) check_timer_.StartBy(checks_.begin()->first - now, false);
}

void ConnectionSender::Release(Connections::iterator place) {
  if (!place->second.is_taken) --untaken_;
  connections_.erase(place);
  environment()->DescriptorClosed();
}

// Ending.

Connections ConnectionSender::GiveBack() {
  if (is_open()) ReadAnswers(kMaxQueuedAnswers);
  Connections untouched;
  for (auto& [id, connection] : connections_) {
    if (connection.is_listener()) continue;  // The next worker gets its own copies.
    const int fd = connection.fd.get();
    const bool is_used = IsTouched(fd, connection.is_unix, connection.prior) || HasUnreadOutput(fd);
    if (!is_used) {
      if (!IsOver(fd)) untouched.emplace(id, std::move(connection));
      continue;
    }
    shutdown(fd, SHUT_RDWR);
    ++ended_;
  }
  Leave();
  return untouched;
}

void ConnectionSender::Leave() {
  set_ended();
  dispatcher_ = nullptr;
  check_timer_.Stop();
  writer()->Close();  // Before the descriptors that it may still have to send are closed.
  staged_.clear();
  checks_.clear();
  connections_.clear();
  untaken_ = 0;
}

void ConnectionSender::BeforeClose() {
  if (dispatcher_ != nullptr) dispatcher_->Forget(this);
  Leave();
  check_timer_.Close();
  StopAndRelease().Reset();
}

}  // namespace pipewright
