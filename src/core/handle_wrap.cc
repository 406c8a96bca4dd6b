#include "core/handle_wrap.h"

#include "core/arguments.h"
#include "core/check.h"

namespace pipewright {

HandleWrap::HandleWrap(Napi::Reference<Napi::Object>* object, CompletionQueue* queue,
                       uv_handle_t* handle)
    : object_(object), queue_(queue), handle_(handle) {
  handle_->data = this;
}

HandleWrap::~HandleWrap() { CHECK(state_ == State::kUnopened || state_ == State::kClosed); }

void HandleWrap::Opened(Napi::Object object) {
  handle_->data = this;
  state_ = State::kOpen;
  object_->Ref();
  id_ = queue_->Register(this, object);
  group_ = id_;
}

int HandleWrap::CheckAdoptable(int fd) const {
  return !queue_->IsOwn(fd) && queue_->environment()->HasHandleOf(fd) ? UV_EEXIST : 0;
}

void HandleWrap::Adopted(int fd) {
  queue_->TakeAccepted(fd);
  queue_->environment()->Untrack(fd);
}

void HandleWrap::Close() {
  if (state_ != State::kOpen) return;
  state_ = State::kClosing;
  queue_->Void(this);
  BeforeClose();
  uv_close(handle_, OnClose);
}

void HandleWrap::OnClose(uv_handle_t* handle) {
  HandleWrap* self = From(handle);
  self->state_ = State::kClosed;
  Environment* environment = self->queue_->environment();
  self->Note(EventKind::kClose);
  if (environment->is_closing()) self->LetGo();  // No event will be delivered.
  environment->DescriptorClosed();
  environment->HandleClosed();
}

Napi::Value HandleWrap::CloseHandle(const Napi::CallbackInfo& info) {
  if (state_ == State::kUnopened) {
    state_ = State::kClosed;
    return Result(info, 1);
  }
  if (state_ != State::kOpen) return Result(info, UV_EBADF);
  Close();
  return Result(info, 0);
}

Napi::Value HandleWrap::RefHandle(const Napi::CallbackInfo& info) {
  if (!is_open()) return Result(info, UV_EBADF);
  uv_ref(handle_);
  return Result(info, 0);
}

Napi::Value HandleWrap::UnrefHandle(const Napi::CallbackInfo& info) {
  if (!is_open()) return Result(info, UV_EBADF);
  uv_unref(handle_);
  return Result(info, 0);
}

Napi::Value HandleWrap::HasRef(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), is_open() && uv_has_ref(handle_) != 0);
}

Napi::Value HandleWrap::GetFd(const Napi::CallbackInfo& info) {
  if (!is_open()) return Result(info, UV_EBADF);
  uv_os_fd_t fd = -1;
  const int err = uv_fileno(handle_, &fd);
  return Result(info, err == 0 ? fd : err);
}

// Reports whether reads or connections of this handle are not delivered yet.
Napi::Value HandleWrap::HasUnread(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), is_open() && queue_->HasUnread(this));
}

Napi::Value HandleWrap::GetId(const Napi::CallbackInfo& info) {
  return Result(info, is_open() ? static_cast<int>(id_) : UV_EBADF);
}

// joinGroup(id): from now on a crossing carries one event of the two handles. UV_EINVAL
// if no open handle has that id.
Napi::Value HandleWrap::JoinGroup(const Napi::CallbackInfo& info) {
  int32_t id;
  if (!is_open()) return Result(info, UV_EBADF);
  if (!ToInt32(info[0], &id) || !queue_->IsOpen(id)) return Result(info, UV_EINVAL);
  group_ = static_cast<uint32_t>(id);
  return Result(info, 0);
}

}  // namespace pipewright
