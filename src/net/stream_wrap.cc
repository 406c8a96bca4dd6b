#include "net/stream_wrap.h"

#include <sys/socket.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/arguments.h"

namespace pipewright {

// What the kernel did not take at once. Keeps alive either the JavaScript value
// that owns the bytes or, for a string, the bytes themselves.
struct StreamWrap::PendingWrite {
  uv_write_t request;
  Napi::Reference<Napi::Value> owner;
  std::string bytes;
};

Napi::Value StreamWrap::ReadStart(const Napi::CallbackInfo& info) {
  if (!is_open()) return Result(info, UV_EBADF);
  const int err = uv_read_start(stream_, OnAllocate, OnRead);
  return Result(info, err == UV_EALREADY ? 0 : err);
}

Napi::Value StreamWrap::ReadStop(const Napi::CallbackInfo& info) {
  if (!is_open()) return Result(info, UV_EBADF);
  return Result(info, uv_read_stop(stream_));
}

Napi::Value StreamWrap::UseUserBuffer(const Napi::CallbackInfo& info) {
  uv_buf_t bytes;
  if (!ToBytes(info[0], &bytes)) return Result(info, UV_EINVAL);
  user_buffer_ = Napi::Persistent(Napi::Value(info[0]));
  return Result(info, 0);
}

// Asked before each read: the buffer may have been detached since it was given, and has no
// room then.
uv_buf_t StreamWrap::UserBuffer() const {
  Napi::HandleScope scope(queue()->environment()->env());
  uv_buf_t bytes;
  return ToBytes(user_buffer_.Value(), &bytes) ? bytes : uv_buf_init(nullptr, 0);
}

// One read a turn. libuv would read 32 times while its buffers are filled, and
// JavaScript could say stop only after the last; the poll is level-triggered, so
// what is left is reported again in the next turn. An empty buffer makes libuv leave
// its loop with UV_ENOBUFS, which OnRead() passes over.
bool StreamWrap::MayRead() {
  const uint64_t turn = queue()->turn();
  if (last_read_turn_ == turn) return false;
  last_read_turn_ = turn;
  return true;
}

void StreamWrap::OnAllocate(uv_handle_t* handle, size_t, uv_buf_t* buffer) {
  auto* self = static_cast<StreamWrap*>(HandleWrap::From(handle));
  if (!self->MayRead()) {
    *buffer = uv_buf_init(nullptr, 0);
  } else if (!self->user_buffer_.IsEmpty()) {
    *buffer = self->UserBuffer();
  } else {
    *buffer = self->queue()->slabs()->Allocate(self->last_read_was_large_);
  }
}

// libuv takes a short read together with EPOLLHUP for the end. But of a Unix socket a
// read stops short behind a message with descriptors, and there may be more.
bool StreamWrap::HasMore() const {
  uv_os_fd_t fd = -1;
  char byte;
  if (uv_fileno(reinterpret_cast<const uv_handle_t*>(stream_), &fd) != 0) return false;
  return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

// MayRead() said no, or the user's buffer is empty or detached: that ends the reading, for
// the next turn would find no more room.
void StreamWrap::OnNoRoom() {
  if (user_buffer_.IsEmpty() || UserBuffer().len > 0) return queue()->MarkRead(group());
  uv_read_stop(stream_);
  Note(EventKind::kRead, UV_ENOBUFS);
}

void StreamWrap::OnRead(uv_stream_t* stream, ssize_t nread, const uv_buf_t*) {
  // 0 is libuv's EAGAIN.
  if (nread == 0) return;
  StreamWrap* self = From(stream);
  if (nread == UV_ENOBUFS) return self->OnNoRoom();
  if (nread == UV_EOF && self->HasMore()) {
    uv_read_start(stream, OnAllocate, OnRead);
    return;
  }
  const auto result = static_cast<int32_t>(nread);
  if (nread < 0) {
    self->Note(EventKind::kRead, result);
    return;
  }
  self->bytes_read_ += static_cast<uint64_t>(nread);
  if (!self->user_buffer_.IsEmpty()) {
    self->Note(EventKind::kReadOwn, result);
    return;
  }
  const auto place = self->queue()->slabs()->Commit(static_cast<size_t>(nread));
  self->last_read_was_large_ = static_cast<size_t>(nread) >= ReadSlabs::kGiveAwaySize;
  self->Note(place.given_away ? EventKind::kReadSlab : EventKind::kRead, result, place.position);
}

// Writes as much as the kernel takes now and steps over it. Returns 0 or an errno
// that is final for the stream.
int StreamWrap::TryWrite(uv_buf_t** buffers, size_t* count) {
  size_t total = 0;
  for (size_t i = 0; i < *count; ++i) total += (*buffers)[i].len;
  const int result =
      total == 0 ? 0 : uv_try_write(stream_, *buffers, static_cast<unsigned int>(*count));
  if (result < 0 && result != UV_EAGAIN && result != UV_ENOSYS) return result;
  bytes_written_ += total;
  auto written = static_cast<size_t>(result < 0 ? 0 : result);
  while (*count > 0 && written >= (*buffers)->len) {
    written -= (*buffers)->len;
    ++*buffers;
    --*count;
  }
  if (*count > 0) {
    (*buffers)->base += written;
    (*buffers)->len -= written;
  }
  return 0;
}

int StreamWrap::Enqueue(PendingWrite* pending, const uv_buf_t* buffers, size_t count) {
  pending->request.data = pending;
  const int err =
      uv_write(&pending->request, stream_, buffers, static_cast<unsigned int>(count), OnWrite);
  if (err == 0) return 1;
  delete pending;
  return err;
}

void StreamWrap::OnWrite(uv_write_t* request, int status) {
  const std::unique_ptr<PendingWrite> pending(static_cast<PendingWrite*>(request->data));
  From(request->handle)->Note(EventKind::kWrite, status);
}

Napi::Value StreamWrap::WriteBuffer(const Napi::CallbackInfo& info) {
  uv_buf_t bytes;
  if (!is_open()) return Result(info, UV_EBADF);
  if (!ToBytes(info[0], &bytes)) return Result(info, UV_EINVAL);
  uv_buf_t* rest = &bytes;
  size_t count = 1;
  const int err = TryWrite(&rest, &count);
  if (err != 0 || count == 0) return Result(info, err);
  return Result(info, Enqueue(new PendingWrite{{}, Napi::Persistent(info[0]), {}}, rest, count));
}

Napi::Value StreamWrap::WriteBuffers(const Napi::CallbackInfo& info) {
  if (!is_open()) return Result(info, UV_EBADF);
  if (!info[0].IsArray()) return Result(info, UV_EINVAL);
  const auto array = info[0].As<Napi::Array>();
  // First all elements, since a getter may change the others and even close this
  // handle; then their memory. What is no Buffer ends it, so that a length without
  // elements costs nothing.
  std::vector<napi_value> elements;
  uv_buf_t bytes;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Value element = array.Get(i);
    if (!ToBytes(element, &bytes)) return Result(info, UV_EINVAL);
    elements.push_back(element);
  }
  if (!is_open()) return Result(info, UV_EBADF);
  std::vector<uv_buf_t> buffers;
  for (const napi_value element : elements) {
    if (!ToBytes(Napi::Value(info.Env(), element), &bytes)) return Result(info, UV_EINVAL);
    buffers.push_back(bytes);
  }
  uv_buf_t* rest = buffers.data();
  size_t count = buffers.size();
  const int err = TryWrite(&rest, &count);
  if (err != 0 || count == 0) return Result(info, err);
  // The caller may empty the list meanwhile: the owner is one of our own. Where an
  // element cannot be held, since the worker is being terminated, it is not written.
  auto owner = Napi::Array::New(info.Env(), elements.size());
  for (uint32_t i = 0; i < elements.size(); ++i) {
    if (napi_set_element(info.Env(), owner, i, elements[i]) != napi_ok) {
      return Result(info, UV_ECANCELED);
    }
  }
  auto* pending = new PendingWrite{{}, Napi::Persistent(Napi::Value(owner)), {}};
  return Result(info, Enqueue(pending, rest, count));
}

// Short strings are encoded on the stack, so that most writes allocate nothing.
template <typename Encode>
Napi::Value StreamWrap::WriteString(const Napi::CallbackInfo& info, Encode encode) {
  if (!is_open()) return Result(info, UV_EBADF);
  if (!info[0].IsString()) return Result(info, UV_EINVAL);
  char small[16 * 1024];
  // A character takes up to four bytes and is never cut: less than that left over
  // means that there may be more.
  constexpr size_t kSureToFit = sizeof(small) - 4;
  size_t length = 0;
  std::string large;
  encode(small, sizeof(small), &length);
  if (length >= kSureToFit) {
    encode(nullptr, 0, &length);
    large.resize(length + 1);
    encode(large.data(), large.size(), &length);
  }
  return Result(info, WriteCopied(large.empty() ? small : large.data(), length));
}

// Writes what is not there for long: the rest, if any, is copied.
int StreamWrap::WriteCopied(const char* data, size_t length) {
  uv_buf_t bytes = uv_buf_init(const_cast<char*>(data), 0);
  bytes.len = length;
  uv_buf_t* rest = &bytes;
  size_t count = 1;
  const int err = TryWrite(&rest, &count);
  if (err != 0 || count == 0) return err;
  auto* pending = new PendingWrite{{}, {}, std::string(rest->base, rest->len)};
  bytes.base = pending->bytes.data();
  return Enqueue(pending, &bytes, 1);
}

// What JavaScript has put into the queue's scratch memory. V8 keeps the bytes of typed
// arrays this small in its heap, and asking for their address would move each of them
// out, which costs more than the write.
Napi::Value StreamWrap::WriteScratch(const Napi::CallbackInfo& info) {
  int32_t length;
  if (!is_open()) return Result(info, UV_EBADF);
  if (!ToInt32(info[0], &length) || length < 0 ||
      static_cast<size_t>(length) > CompletionQueue::kScratchSize) {
    return Result(info, UV_EINVAL);
  }
  return Result(info, WriteCopied(queue()->scratch(), static_cast<size_t>(length)));
}

Napi::Value StreamWrap::WriteUtf8String(const Napi::CallbackInfo& info) {
  return WriteString(info, [&](char* out, size_t size, size_t* length) {
    napi_get_value_string_utf8(info.Env(), info[0], out, size, length);
  });
}

Napi::Value StreamWrap::WriteLatin1String(const Napi::CallbackInfo& info) {
  return WriteString(info, [&](char* out, size_t size, size_t* length) {
    napi_get_value_string_latin1(info.Env(), info[0], out, size, length);
  });
}

// libuv would call shutdown(2) only after this turn's events.
Napi::Value StreamWrap::Shutdown(const Napi::CallbackInfo& info) {
  if (!is_open()) return Result(info, UV_EBADF);
  if (is_shut_down_) return Result(info, UV_ENOTCONN);
  if (!ShutDownNow()) return Result(info, uv_shutdown(&shutdown_request_, stream_, OnShutdown));
  Note(EventKind::kShutdown);
  return Result(info, 0);
}

// Not before the stream is connected, which shutdown(2) would break off, and not while
// writes are queued. What is no socket has libuv's way, too.
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

Napi::Value StreamWrap::BytesRead(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(bytes_read_));
}

Napi::Value StreamWrap::BytesWritten(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(bytes_written_));
}

Napi::Value StreamWrap::WriteQueueSize(const Napi::CallbackInfo& info) {
  const size_t size = is_open() ? uv_stream_get_write_queue_size(stream_) : 0;
  return Napi::Number::New(info.Env(), static_cast<double>(size));
}

}  // namespace pipewright
