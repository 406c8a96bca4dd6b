#include "core/completion_queue.h"

#include <unistd.h>

#include <algorithm>
#include <functional>

#include "core/handle_wrap.h"

namespace pipewright {

namespace {

// Closes the descriptor of a connection that is not going to be delivered.
void CloseAccepted(EventKind kind, int32_t status, int32_t fd) {
  if (kind == EventKind::kConnection && status == 0) close(fd);
}

}  // namespace

CompletionQueue::CompletionQueue(Environment* environment, Napi::Function dispatch)
    : environment_(environment), slabs_(environment->env()), dispatch_(Napi::Persistent(dispatch)) {
  Napi::Env env = environment->env();
  auto records = Napi::Int32Array::New(env, kMaxRecordsPerCrossing * kFields);
  auto cursor = Napi::Int32Array::New(env, 2);
  records_ = records.Data();
  cursor_ = cursor.Data();
  auto scratch = Napi::Uint8Array::New(env, kScratchSize);
  scratch_ = reinterpret_cast<char*>(scratch.Data());
  scratch_ref_ = Napi::Persistent(scratch);
  records_ref_ = Napi::Persistent(records);
  cursor_ref_ = Napi::Persistent(cursor);
  table_ref_ = Napi::Persistent(Napi::Array::New(env));

  uv_check_init(environment->loop(), &check_);
  uv_idle_init(environment->loop(), &idle_);
  environment->HandleOpened();
  environment->HandleOpened();
  check_.data = this;
  idle_.data = this;
  // libuv runs the newest check handle first, so this one comes before Node's own,
  // and with it all events of a poll phase before its setImmediate() callbacks.
  uv_check_start(&check_, OnCheck);
  uv_unref(reinterpret_cast<uv_handle_t*>(&check_));
}

Napi::Object CompletionQueue::Shared() const {
  auto shared = Napi::Object::New(environment_->env());
  shared.Set("records", records_ref_.Value());
  shared.Set("cursor", cursor_ref_.Value());
  shared.Set("handles", table_ref_.Value());
  shared.Set("slabs", slabs_.table());
  shared.Set("scratch", scratch_ref_.Value());
  return shared;
}

uint32_t CompletionQueue::Register(HandleWrap* handle, Napi::Object object) {
  uint32_t id;
  if (free_ids_.empty()) {
    id = static_cast<uint32_t>(handles_.size());
    handles_.push_back(handle);
    last_crossing_.push_back(0);
    last_read_turn_.push_back(0);
  } else {
    id = free_ids_.back();
    free_ids_.pop_back();
    handles_[id] = handle;
  }
  environment_->HandleOpened();
  // This fails in a worker that is being terminated, whose JavaScript runs no more.
  napi_set_element(environment_->env(), table_ref_.Value(), id, object);
  return id;
}

void CompletionQueue::Note(HandleWrap* handle, EventKind kind, int32_t first, int32_t second) {
  if (environment_->is_closing()) return;
  // An error or the end of a stream (first < 0) is no sign of more to read.
  if (kind <= EventKind::kReadOwn && first >= 0) MarkRead(handle->group());
  Append({handle->id(), handle->group(), kind, first, second});
}

void CompletionQueue::NoteLast(HandleWrap* handle, EventKind kind, int32_t first, int32_t second) {
  if (environment_->is_closing()) return;
  waiting_.push_back({{handle->id(), handle->group(), kind, first, second}, turn_});
  uv_idle_start(&idle_, OnIdle);
}

void CompletionQueue::Append(const Record& record) {
  // The check phase is the next to come only for what the poll phase notes. For
  // close callbacks, timers and calls from JavaScript it is the idle handle that
  // wakes the loop; being referenced, it also keeps the loop alive until then.
  if (pending_.empty()) uv_idle_start(&idle_, OnIdle);
  pending_.push_back(record);
}

// This runs when every read of this turn's poll phase is noted, so it does not matter
// which came first in the phase, the exit or the last output.
void CompletionQueue::EndWaits() {
  const auto is_over = [this](const Waiting& waiting) {
    return last_read_turn_[waiting.record.group] != turn_ ||
           turn_ - waiting.since >= kMaxTurnsToWait;
  };
  const auto over = std::stable_partition(waiting_.begin(), waiting_.end(), std::not_fn(is_over));
  for (auto waiting = over; waiting != waiting_.end(); ++waiting) Append(waiting->record);
  waiting_.erase(over, waiting_.end());
}

void CompletionQueue::OnCheck(uv_check_t* check) {
  auto* self = static_cast<CompletionQueue*>(check->data);
  self->EndWaits();
  ++self->turn_;
  self->Flush(self->pending_.size());
  self->FlushShutdowns();
}

// Delivers the shutdowns that were noted during this delivery. Most of these sockets are
// then closed in this turn, before their peers in this process hear of it. libuv 1.45 and
// later does the same: it runs pending callbacks up to 8 times after the poll phase.
void CompletionQueue::FlushShutdowns() {
  const auto is_shutdown = [](const Record& record) { return record.kind == EventKind::kShutdown; };
  for (int i = 0; i < kMaxShutdownRounds; ++i) {
    const auto first = pending_.begin() + static_cast<std::ptrdiff_t>(next_);
    const auto end = std::stable_partition(first, pending_.end(), is_shutdown);
    if (first == end) return;
    Flush(static_cast<size_t>(end - pending_.begin()));
  }
}

void CompletionQueue::OnIdle(uv_idle_t* idle) {
  auto* self = static_cast<CompletionQueue*>(idle->data);
  self->Flush(self->pending_.size());
}

// May be entered from within itself, when a handler turns the loop (as deasync
// does): the inner call first finishes the crossing of the outer one.
void CompletionQueue::Flush(size_t end) {
  if (pending_.empty() || environment_->is_closing()) return;
  Napi::HandleScope scope(environment_->env());
  ++flush_depth_;
  bool alive = Deliver();
  while (alive && next_ < end) {
    FillCrossing(end);
    alive = Deliver();
  }
  if (--flush_depth_ > 0) return;
  if (!alive) return Drop();
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(next_));
  next_ = 0;
  if (!pending_.empty()) return;
  if (waiting_.empty()) uv_idle_stop(&idle_);
  slabs_.Recycle();
}

// Copies records into the array that JavaScript sees, up to the second one of a group.
void CompletionQueue::FillCrossing(size_t end) {
  ++crossing_;
  int32_t* out = records_;
  size_t room = kMaxRecordsPerCrossing;
  for (; next_ < end && room > 0; ++next_, --room) {
    const Record& record = pending_[next_];
    if (last_crossing_[record.group] == crossing_) break;
    last_crossing_[record.group] = crossing_;
    if (record.kind == EventKind::kClose) closed_ids_.push_back(record.id);
    *out++ = static_cast<int32_t>(record.id);
    *out++ = static_cast<int32_t>(record.kind);
    *out++ = record.first;
    *out++ = record.second;
  }
  cursor_[0] = 0;
  cursor_[1] = static_cast<int32_t>(out - records_);
}

// Calls dispatch() until the crossing is delivered. dispatch() advances the cursor before
// it calls a handler, so after an exception the next call continues behind that handler.
// Returns false if JavaScript will not run any more.
bool CompletionQueue::Deliver() {
  napi_env env = environment_->env();
  while (cursor_[0] < cursor_[1]) {
    // Plain napi_make_callback: Napi::Function's failure path can abort on
    // `throw null`.
    const napi_status status = napi_make_callback(env, nullptr, table_ref_.Value(),
                                                  dispatch_.Value(), 0, nullptr, nullptr);
    if (status != napi_ok) CloseUntaken();
    if (environment_->is_closing()) return false;
    if (status == napi_ok) continue;
    bool threw = false;
    napi_is_exception_pending(env, &threw);
    if (!threw) return false;
    napi_value exception = nullptr;
    napi_get_and_clear_last_exception(env, &exception);
    napi_fatal_exception(env, exception);
  }
  ReleaseClosed();
  return true;
}

void CompletionQueue::ReleaseClosed() {
  for (const uint32_t id : closed_ids_) Release(id);
  closed_ids_.clear();
}

// The field of the record under way that holds its accepted descriptor, or -1 once that was
// taken; nullptr if the record is no accepted connection.
int32_t* CompletionQueue::AcceptedFd() const {
  if (cursor_[0] == 0) return nullptr;
  int32_t* record = records_ + cursor_[0] - kFields;
  const bool is_accepted =
      static_cast<EventKind>(record[1]) == EventKind::kConnection && record[2] == 0;
  return is_accepted ? &record[3] : nullptr;
}

// The numbers are compared, since a handler may open other descriptors after its own.
void CompletionQueue::TakeAccepted(int fd) {
  int32_t* accepted = AcceptedFd();
  if (accepted != nullptr && *accepted == fd) *accepted = -1;
}

bool CompletionQueue::IsAccepted(int fd) const {
  const int32_t* accepted = AcceptedFd();
  return accepted != nullptr && *accepted == fd;
}

bool CompletionQueue::IsOwn(int fd) const { return environment_->IsTracked(fd) || IsAccepted(fd); }

// An exception or the end of the thread has cut off the handler under way, maybe before
// it took the descriptor that it was given.
void CompletionQueue::CloseUntaken() {
  int32_t* accepted = AcceptedFd();
  if (accepted == nullptr || *accepted < 0) return;
  close(*accepted);
  *accepted = -1;
}

void CompletionQueue::Drop() {
  for (int32_t i = cursor_[0]; i < cursor_[1]; i += kFields) {
    const int32_t* record = records_ + i;
    CloseAccepted(static_cast<EventKind>(record[1]), record[2], record[3]);
  }
  cursor_[0] = cursor_[1] = 0;
  for (; next_ < pending_.size(); ++next_) {
    const Record& record = pending_[next_];
    CloseAccepted(record.kind, record.first, record.second);
  }
  pending_.clear();
  waiting_.clear();
  next_ = 0;
  uv_idle_stop(&idle_);
}

// Input is what a handle receives: a handle that closes has no more use for it.
static bool IsInput(EventKind kind) {
  return kind == EventKind::kRead || kind == EventKind::kReadSlab || kind == EventKind::kReadOwn ||
         kind == EventKind::kConnection || kind == EventKind::kDescriptors ||
         kind == EventKind::kMessages || kind == EventKind::kExit || kind == EventKind::kSignal ||
         kind == EventKind::kRoom || kind == EventKind::kChoice || kind == EventKind::kConnections;
}

// An accepted connection is delivered all the same: its client is connected already.
static bool IsVoidedByClose(EventKind kind, int32_t first) {
  return IsInput(kind) && !(kind == EventKind::kConnection && first == 0);
}

void CompletionQueue::Void(HandleWrap* handle) {
  const auto is_its = [handle](const Waiting& waiting) {
    return waiting.record.id == handle->id();
  };
  waiting_.erase(std::remove_if(waiting_.begin(), waiting_.end(), is_its), waiting_.end());
  for (size_t i = next_; i < pending_.size(); ++i) {
    Record& record = pending_[i];
    if (record.id != handle->id() || !IsVoidedByClose(record.kind, record.first)) continue;
    record.kind = EventKind::kNone;
  }
  for (int32_t i = cursor_[0]; i < cursor_[1]; i += kFields) {
    int32_t* record = records_ + i;
    const auto kind = static_cast<EventKind>(record[1]);
    if (record[0] != static_cast<int32_t>(handle->id())) continue;
    if (!IsVoidedByClose(kind, record[2])) continue;
    record[1] = static_cast<int32_t>(EventKind::kNone);
  }
}

bool CompletionQueue::HasUnread(const HandleWrap* handle) const {
  for (size_t i = next_; i < pending_.size(); ++i) {
    if (pending_[i].id == handle->id() && IsInput(pending_[i].kind)) return true;
  }
  for (int32_t i = cursor_[0]; i < cursor_[1]; i += kFields) {
    const int32_t* record = records_ + i;
    if (record[0] != static_cast<int32_t>(handle->id())) continue;
    if (IsInput(static_cast<EventKind>(record[1]))) return true;
  }
  return false;
}

void CompletionQueue::Release(uint32_t id) {
  Napi::Env env = environment_->env();
  napi_set_element(env, table_ref_.Value(), id, env.Undefined());
  handles_[id]->LetGo();
  handles_[id] = nullptr;
  free_ids_.push_back(id);
}

void CompletionQueue::Close() {
  if (flush_depth_ == 0) Drop();
  for (HandleWrap* handle : handles_) {
    if (handle != nullptr) handle->Close();
  }
  uv_close(reinterpret_cast<uv_handle_t*>(&check_), OnOwnHandleClosed);
  uv_close(reinterpret_cast<uv_handle_t*>(&idle_), OnOwnHandleClosed);
}

void CompletionQueue::OnOwnHandleClosed(uv_handle_t* handle) {
  static_cast<CompletionQueue*>(handle->data)->environment_->HandleClosed();
}

}  // namespace pipewright
