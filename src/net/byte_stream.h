// The common part of all handles that carry bytes: reading into slabs or into the user's
// buffer, writing buffers, lists and strings, and counting. StreamWrap (libuv) and
// MessageSocket (sendmsg, recvmsg) implement the few virtual functions.

#ifndef PIPEWRIGHT_SRC_NET_BYTE_STREAM_H_
#define PIPEWRIGHT_SRC_NET_BYTE_STREAM_H_

#include <napi.h>
#include <uv.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/handle_wrap.h"

namespace pipewright {

// Bytes on their way from JavaScript to the kernel. Their memory is valid during the call
// that passes them; KeptBytes::Keep() keeps the rest for later.
struct BytesToWrite {
  uv_buf_t* buffers;
  size_t count;
  const napi_value* owners;  // The JavaScript values that own the memory.
  size_t owner_count;        // 0: the memory is gone after the call.

  size_t size() const;
  // Drops the first `written` bytes.
  void Advance(size_t written);
};

// Keeps the memory of bytes alive, by a reference to the owner or by a copy.
struct KeptBytes {
  Napi::Reference<Napi::Value> owner;
  std::string copy;

  // Makes `bytes` point to memory that lives as long as this object, which must not be
  // moved afterwards. Returns false if an owner cannot be held, since the worker is being
  // terminated.
  bool Keep(Napi::Env env, BytesToWrite* bytes);
  // Reports whether the owners still have the memory of the last `count` buffers. JavaScript
  // may have transferred it to another owner, or resized it.
  bool StillHas(const uv_buf_t* buffers, size_t count) const;
};

class ByteStream : public HandleWrap {
 public:
  // Methods for JavaScript; see docs/binding.md. A write returns 0 if the kernel took
  // everything at once, 1 if the rest is queued and onwrite(status) will follow, or a
  // negative errno.
  Napi::Value ReadStart(const Napi::CallbackInfo& info);
  Napi::Value ReadStop(const Napi::CallbackInfo& info);
  Napi::Value UseUserBuffer(const Napi::CallbackInfo& info);
  Napi::Value WriteBuffer(const Napi::CallbackInfo& info);
  Napi::Value WriteBuffers(const Napi::CallbackInfo& info);
  Napi::Value WriteScratch(const Napi::CallbackInfo& info);
  Napi::Value WriteUtf8String(const Napi::CallbackInfo& info);
  Napi::Value WriteLatin1String(const Napi::CallbackInfo& info);
  Napi::Value Shutdown(const Napi::CallbackInfo& info);
  Napi::Value BytesRead(const Napi::CallbackInfo& info);
  Napi::Value BytesWritten(const Napi::CallbackInfo& info);
  Napi::Value WriteQueueSize(const Napi::CallbackInfo& info);

 protected:
  using HandleWrap::HandleWrap;

  // Called on an open handle. Numbers are 0 or a negative errno.
  virtual int StartReading() = 0;
  virtual int StopReading() = 0;
  virtual int Write(BytesToWrite bytes) = 0;  // 1: the rest is queued.
  virtual int ShutDown() = 0;                 // After what is queued; then kShutdown is noted.
  virtual size_t QueuedBytes() const = 0;

  bool has_user_buffer() const { return !user_buffer_.IsEmpty(); }
  // Room for one read. Empty if the user's buffer is empty or was detached, or if this
  // turn has filled all slabs that it may.
  uv_buf_t Room();
  // Records and notes that `length` bytes were read into the room that Room() returned last.
  void NoteBytes(size_t length);
  void CountRead(size_t length) { bytes_read_ += length; }
  void CountWritten(size_t length) { bytes_written_ += length; }

  // Reads the elements of a list of buffers. Returns false if it is no such list.
  static bool ReadList(const Napi::Value& list, std::vector<napi_value>* elements);
  // Reads their memory. It comes last: a getter that runs later could detach it.
  static bool ReadMemory(Napi::Env env, const std::vector<napi_value>& elements,
                         std::vector<uv_buf_t>* buffers);

 private:
  uv_buf_t UserBuffer() const;
  template <typename Encode>
  Napi::Value WriteString(const Napi::CallbackInfo& info, Encode encode);
  int WriteCopied(const char* data, size_t length);

  Napi::Reference<Napi::Value> user_buffer_;
  uint64_t bytes_read_ = 0;
  uint64_t bytes_written_ = 0;  // Accepted for writing, whether or not the kernel has them yet.
  bool last_read_was_large_ = false;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_NET_BYTE_STREAM_H_
