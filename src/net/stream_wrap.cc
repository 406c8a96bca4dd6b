#include "net/stream_wrap.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "core/arguments.h"
#include "core/read_slab.h"

namespace pipewright {

// The part of a write that the kernel did not take at once.
struct StreamWrap::PendingWrite {
  uv_write_t request;
  KeptBytes kept;
};

int StreamWrap::StartReading() {
  const int err = uv_read_start(stream_, OnAllocate, OnRead);
  return err == UV_EALREADY ? 0 : err;
}

int StreamWrap::StopReading() { return uv_read_stop(stream_); }

// Allows one read a turn. libuv would read up to 32 times while its buffers are filled, and
// JavaScript could stop it only after the last. The poll is level-triggered, so the next
// turn reports what is left. An empty buffer makes libuv leave its loop with UV_ENOBUFS,
// which OnNoRoom() handles.
bool StreamWrap::MayRead() {
  const uint64_t turn = queue()->turn();
  if (last_read_turn_ == turn) return false;
  last_read_turn_ = turn;
  return true;
}

uv_buf_t StreamWrap::NextRoom() { return forwards() ? queue()->slabs()->Scratch() : Room(); }

void StreamWrap::OnAllocate(uv_handle_t* handle, size_t, uv_buf_t* buffer) {
  auto* self = static_cast<StreamWrap*>(HandleWrap::From(handle));
  *buffer = self->MayRead() ? self->NextRoom() : uv_buf_init(nullptr, 0);
  self->is_reading_ = buffer->len > 0;
}

// libuv takes a short read together with EPOLLHUP for the end of the stream, without another
// read. But a read from a Unix socket also stops short behind a message with descriptors, and
// there may be more.
bool StreamWrap::HasMore() const {
  uv_os_fd_t fd = -1;
  char byte;
  if (uv_fileno(reinterpret_cast<const uv_handle_t*>(stream_), &fd) != 0) return false;
  return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

// Called if MayRead() refused, or if the user's buffer is empty or detached. The latter ends
// the reading, since the next turn would find no more room.
void StreamWrap::OnNoRoom() {
  if (!has_user_buffer() || Room().len > 0) return queue()->MarkRead(group());
  uv_read_stop(stream_);
  Note(EventKind::kRead, UV_ENOBUFS);
}

void StreamWrap::OnRead(uv_stream_t* stream, ssize_t nread, const uv_buf_t* buffer) {
  StreamWrap* self = From(stream);
  const bool has_read = self->is_reading_;
  self->is_reading_ = false;
  // 0 is libuv's EAGAIN.
  if (nread == 0) return;
  if (nread == UV_ENOBUFS) return self->OnNoRoom();
  if (nread == UV_EOF && !has_read && self->HasMore()) {
    uv_read_start(stream, OnAllocate, OnRead);
    return;
  }
  if (nread < 0) return self->Note(EventKind::kRead, static_cast<int32_t>(nread));
  if (self->forwards()) return self->Forward(buffer->base, static_cast<size_t>(nread));
  self->NoteBytes(static_cast<size_t>(nread));
}

// Forwarding.

Napi::Value StreamWrap::ForwardTo(const Napi::CallbackInfo& info) {
  int32_t id;
  if (!is_open()) return Result(info, UV_EBADF);
  if (!ToInt32(info[0], &id)) return Result(info, UV_EINVAL);
  if (id == -1) {
    SetTarget(nullptr);
    return Result(info, 0);
  }
  HandleWrap* handle = queue()->Find(id);
  StreamWrap* target = handle == nullptr ? nullptr : handle->AsStream();
  if (target == nullptr || !target->is_open() || !has_user_buffer()) return Result(info, UV_EINVAL);
  SetTarget(target);
  return Result(info, 0);
}

void StreamWrap::SetTarget(StreamWrap* target) {
  if (target_ != nullptr) {
    auto& sources = target_->sources_;
    sources.erase(std::find(sources.begin(), sources.end(), this));
  }
  target_ = target;
  if (target_ != nullptr) target_->sources_.push_back(this);
}

// What the kernel does not take at once goes by way of JavaScript, which has the rules for waiting
// and for failures. Until then nothing more is read: the next bytes must not overtake these.
void StreamWrap::Forward(const char* data, size_t length) {
  uv_buf_t bytes = uv_buf_init(const_cast<char*>(data), static_cast<unsigned int>(length));
  const int result = uv_try_write(target_->stream_, &bytes, 1);
  const size_t written = result > 0 ? static_cast<size_t>(result) : 0;
  target_->CountWritten(written);
  if (written == length) {
    CountRead(length);
    return queue()->MarkRead(group());
  }
  CountRead(written);
  const uv_buf_t rest = Room();
  uv_read_stop(stream_);
  if (rest.len < length - written) return Note(EventKind::kRead, UV_ENOBUFS);
  std::memcpy(rest.base, data + written, length - written);
  NoteBytes(length - written);
}

void StreamWrap::BeforeClose() {
  SetTarget(nullptr);
  for (StreamWrap* source : std::exchange(sources_, {})) source->target_ = nullptr;
}

int StreamWrap::Write(BytesToWrite bytes) {
  const int err = TryWrite(&bytes);
  if (err != 0 || bytes.count == 0) return err;
  auto pending = std::make_unique<PendingWrite>();
  if (!pending->kept.Keep(queue()->environment()->env(), &bytes)) return UV_ECANCELED;
  pending->request.data = pending.get();
  const int result = uv_write(&pending->request, stream_, bytes.buffers,
                              static_cast<unsigned int>(bytes.count), OnWrite);
  if (result != 0) return result;
  static_cast<void>(pending.release());  // OnWrite() deletes it.
  return 1;
}

// Writes as much as the kernel takes now and steps over it. Returns 0 or an errno
// that is final for the stream.
int StreamWrap::TryWrite(BytesToWrite* bytes) {
  const size_t total = bytes->size();
  const int result =
      total == 0 ? 0
                 : uv_try_write(stream_, bytes->buffers, static_cast<unsigned int>(bytes->count));
  if (result < 0 && result != UV_EAGAIN && result != UV_ENOSYS) return result;
  CountWritten(total);
  bytes->Advance(static_cast<size_t>(result < 0 ? 0 : result));
  return 0;
}

void StreamWrap::OnWrite(uv_write_t* request, int status) {
  const std::unique_ptr<PendingWrite> pending(static_cast<PendingWrite*>(request->data));
  From(request->handle)->Note(EventKind::kWrite, status);
}

// Shuts down at once if possible: libuv would do it only after this turn's events.
int StreamWrap::ShutDown() {
  if (is_shut_down_) return UV_ENOTCONN;
  if (!ShutDownNow()) return uv_shutdown(&shutdown_request_, stream_, OnShutdown);
  Note(EventKind::kShutdown);
  return 0;
}

// Returns false if libuv has to do it: while the stream is connecting, which shutdown(2)
// would break off, while writes are queued, and if the descriptor is no socket.
bool StreamWrap::ShutDownNow() {
  uv_os_fd_t fd = -1;
  if (uv_is_writable(stream_) == 0 || uv_stream_get_write_queue_size(stream_) != 0) return false;
  if (uv_fileno(reinterpret_cast<const uv_handle_t*>(stream_), &fd) != 0) return false;
  is_shut_down_ = shutdown(fd, SHUT_WR) == 0;
  return is_shut_down_;
}

void StreamWrap::OnShutdown(uv_shutdown_t* request, int status) {
  From(request->handle)->Note(EventKind::kShutdown, status);
}

size_t StreamWrap::QueuedBytes() const { return uv_stream_get_write_queue_size(stream_); }

}  // namespace pipewright
