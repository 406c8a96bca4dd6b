// One uv_handle_t and one JavaScript object. Base of every wrap; the leaves add
// Napi::ObjectWrap<Self>.
//
//   kUnopened --Open()--> kOpen --Close()--> kClosing --uv callback--> kClosed
//
// - The JavaScript object is held strongly from kOpen until its 'close' event was
//   delivered, and weakly otherwise. An object never opened has nothing to close.
//   C++ holds the reference itself, not through a JavaScript table: in a worker that is
//   being terminated, inserting into a table can fail.
// - Close() is idempotent; every other method of a closed handle returns UV_EBADF.
// - uv_handle_t::data always holds a HandleWrap*, which From() alone reads: with
//   two bases any other cast is wrong.

#ifndef PIPEWRIGHT_SRC_CORE_HANDLE_WRAP_H_
#define PIPEWRIGHT_SRC_CORE_HANDLE_WRAP_H_

#include <napi.h>
#include <uv.h>

#include <cstdint>

#include "core/completion_queue.h"

namespace pipewright {

class StreamWrap;

class HandleWrap {
 public:
  static HandleWrap* From(const uv_handle_t* handle) {
    return static_cast<HandleWrap*>(handle->data);
  }

  HandleWrap(const HandleWrap&) = delete;
  HandleWrap& operator=(const HandleWrap&) = delete;

  // The number by which records name this handle; valid while it is open.
  uint32_t id() const { return id_; }
  // A crossing carries at most one event of a group (see completion_queue.h).
  uint32_t group() const { return group_; }

  void Close();
  // The handle as a stream of libuv; nullptr if it is none.
  virtual StreamWrap* AsStream() { return nullptr; }
  // Holds the JavaScript object weakly from now on: its close event was delivered.
  void LetGo() { object_->Unref(); }

  // Methods for JavaScript, the same on every class. Numbers are 0 or a negative
  // errno; see docs/binding.md.
  Napi::Value CloseHandle(const Napi::CallbackInfo& info);
  Napi::Value RefHandle(const Napi::CallbackInfo& info);
  Napi::Value UnrefHandle(const Napi::CallbackInfo& info);
  Napi::Value HasRef(const Napi::CallbackInfo& info);
  Napi::Value GetFd(const Napi::CallbackInfo& info);
  Napi::Value HasUnread(const Napi::CallbackInfo& info);
  Napi::Value GetId(const Napi::CallbackInfo& info);
  Napi::Value JoinGroup(const Napi::CallbackInfo& info);

 protected:
  // `object` is the leaf's Napi::ObjectWrap.
  HandleWrap(Napi::Reference<Napi::Object>* object, CompletionQueue* queue, uv_handle_t* handle);
  virtual ~HandleWrap();

  // Runs `init` (one of libuv's uv_*_init) and takes the handle into the queue's
  // table. UV_EBUSY if it is open already, UV_EBADF if it was closed.
  template <typename Init>
  int Open(const Napi::CallbackInfo& info, Init init) {
    int err = CheckUnopened();
    if (err == 0) err = init(queue_->environment()->loop());
    if (err == 0) Opened(info.This().As<Napi::Object>());
    return err;
  }

  // To be called before this handle takes over `fd`, which it has not opened itself.
  // UV_EEXIST if another handle, ours or Node's, has it: after either of the two closed
  // the descriptor, libuv would abort the process on behalf of the other.
  int CheckAdoptable(int fd) const;
  // Records that `fd` belongs to this handle from now on.
  void Adopted(int fd);

  int CheckUnopened() const {
    if (state_ == State::kOpen) return UV_EBUSY;
    return state_ == State::kUnopened ? 0 : UV_EBADF;
  }
  bool is_unopened() const { return state_ == State::kUnopened; }
  bool is_open() const { return state_ == State::kOpen; }
  CompletionQueue* queue() const { return queue_; }
  void Note(EventKind kind, int32_t first = 0, int32_t second = 0) {
    queue_->Note(this, kind, first, second);
  }

  // Called once, before uv_close(). A class releases here what libuv does not know of.
  virtual void BeforeClose() {}

 private:
  enum class State { kUnopened, kOpen, kClosing, kClosed };

  static void OnClose(uv_handle_t* handle);
  void Opened(Napi::Object object);

  Napi::Reference<Napi::Object>* object_;
  CompletionQueue* queue_;
  uv_handle_t* handle_;
  State state_ = State::kUnopened;
  uint32_t id_ = 0;
  uint32_t group_ = 0;
};

// Returns `result` to JavaScript as a number.
inline Napi::Value Result(const Napi::CallbackInfo& info, int result) {
  return Napi::Number::New(info.Env(), result);
}

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CORE_HANDLE_WRAP_H_
