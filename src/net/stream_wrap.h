// The common part of PipeWrap and TcpWrap, a uv_stream_t: start and stop reading, write,
// shut down.

#ifndef PIPEWRIGHT_SRC_NET_STREAM_WRAP_H_
#define PIPEWRIGHT_SRC_NET_STREAM_WRAP_H_

#include <napi.h>
#include <uv.h>

#include <cstdint>
#include <vector>

#include "net/byte_stream.h"

namespace pipewright {

class StreamWrap : public ByteStream {
 public:
  // forwardTo(id of a stream's handle, or -1): see docs/binding.md.
  Napi::Value ForwardTo(const Napi::CallbackInfo& info);
  StreamWrap* AsStream() override { return this; }

 protected:
  StreamWrap(Napi::Reference<Napi::Object>* object, CompletionQueue* queue, uv_stream_t* stream)
      : ByteStream(object, queue, reinterpret_cast<uv_handle_t*>(stream)), stream_(stream) {}

  uv_stream_t* stream() const { return stream_; }
  // Like CheckAdoptable(), but 0, 1 and 2 may be shared: libuv never closes them, and
  // streams such as Node's process.stdout have them too.
  int CheckStreamAdoptable(int fd) const { return fd <= 2 ? 0 : CheckAdoptable(fd); }

  int StartReading() override;
  int StopReading() override;
  int Write(BytesToWrite bytes) override;
  int ShutDown() override;
  size_t QueuedBytes() const override;
  void BeforeClose() override;

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
  uv_buf_t NextRoom();
  bool ShutDownNow();
  void OnNoRoom();
  bool HasMore() const;
  int TryWrite(BytesToWrite* bytes);
  bool forwards() const { return target_ != nullptr; }
  void SetTarget(StreamWrap* target);
  void Forward(const char* data, size_t length);

  uv_stream_t* stream_;
  StreamWrap* target_ = nullptr;      // What is read goes there.
  std::vector<StreamWrap*> sources_;  // Those that have this one as their target.
  uv_shutdown_t shutdown_request_;
  uint64_t last_read_turn_ = 0;
  bool is_reading_ = false;    // Between OnAllocate() with a buffer and OnRead().
  bool is_shut_down_ = false;  // By ShutDownNow(); libuv keeps count of its own.
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_NET_STREAM_WRAP_H_
