// A uv_stream_t: start and stop reading, write, shut down. What PipeWrap and
// TcpWrap have in common.

#ifndef PIPEWRIGHT_SRC_NET_STREAM_WRAP_H_
#define PIPEWRIGHT_SRC_NET_STREAM_WRAP_H_

#include <napi.h>
#include <uv.h>

#include <cstdint>

#include "core/handle_wrap.h"

namespace pipewright {

class StreamWrap : public HandleWrap {
 public:
  // Methods for JavaScript; see docs/binding.md. A write returns 0 when the kernel
  // took everything at once, 1 when the rest is queued and onwrite(status) will
  // follow, or a negative errno.
  Napi::Value ReadStart(const Napi::CallbackInfo& info);
  Napi::Value ReadStop(const Napi::CallbackInfo& info);
  Napi::Value UseUserBuffer(const Napi::CallbackInfo& info);
  Napi::Value WriteBuffer(const Napi::CallbackInfo& info);
  Napi::Value WriteScratch(const Napi::CallbackInfo& info);
  Napi::Value WriteBuffers(const Napi::CallbackInfo& info);
  Napi::Value WriteUtf8String(const Napi::CallbackInfo& info);
  Napi::Value WriteLatin1String(const Napi::CallbackInfo& info);
  Napi::Value Shutdown(const Napi::CallbackInfo& info);
  Napi::Value BytesRead(const Napi::CallbackInfo& info);
  Napi::Value BytesWritten(const Napi::CallbackInfo& info);
  Napi::Value WriteQueueSize(const Napi::CallbackInfo& info);

 protected:
  StreamWrap(Napi::Reference<Napi::Object>* object, CompletionQueue* queue, uv_stream_t* stream)
      : HandleWrap(object, queue, reinterpret_cast<uv_handle_t*>(stream)), stream_(stream) {}

  uv_stream_t* stream() const { return stream_; }
  // As CheckAdoptable(). libuv never closes 0, 1 and 2, and Node's process.stdout, too,
  // has them: these may be shared.
  int CheckStreamAdoptable(int fd) const { return fd <= 2 ? 0 : CheckAdoptable(fd); }

 private:
  struct PendingWrite;

  static StreamWrap* From(const uv_stream_t* stream) {
    return static_cast<StreamWrap*>(HandleWrap::From(reinterpret_cast<const uv_handle_t*>(stream)));
  }
  static void OnAllocate(uv_handle_t* handle, size_t suggested_size, uv_buf_t* buffer);
  static void OnRead(uv_stream_t* stream, ssize_t nread, const uv_buf_t* buffer);
  static void OnWrite(uv_write_t* request, int status);
  static void OnShutdown(uv_shutdown_t* request, int status);

  bool MayRead();
  bool ShutDownNow();
  void OnNoRoom();
  bool HasMore() const;
  uv_buf_t UserBuffer() const;
  template <typename Encode>
  Napi::Value WriteString(const Napi::CallbackInfo& info, Encode encode);
  int WriteCopied(const char* data, size_t length);
  int TryWrite(uv_buf_t** buffers, size_t* count);
  int Enqueue(PendingWrite* pending, const uv_buf_t* buffers, size_t count);

  uv_stream_t* stream_;
  uv_shutdown_t shutdown_request_;
  Napi::Reference<Napi::Value> user_buffer_;
  uint64_t bytes_read_ = 0;
  uint64_t bytes_written_ = 0;  // Accepted for writing, whether or not the kernel has them yet.
  uint64_t last_read_turn_ = 0;
  bool last_read_was_large_ = false;
  bool is_shut_down_ = false;  // By ShutDownNow(); libuv keeps count of its own.
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_NET_STREAM_WRAP_H_
