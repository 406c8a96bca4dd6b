#include "core/loop_timer.h"

namespace pipewright {

void LoopTimer::StartBy(uint64_t delay, bool keeps_loop_alive) {
  if (is_closed_) return;
  if (timer_ == nullptr) {
    timer_ = new uv_timer_t;
    uv_timer_init(environment_->loop(), timer_);
    timer_->data = this;
    environment_->HandleOpened();
  }
  auto* handle = reinterpret_cast<uv_handle_t*>(timer_);
  if (uv_is_active(handle) != 0 && uv_timer_get_due_in(timer_) <= delay) return;
  uv_timer_start(timer_, OnTimer, delay, 0);
  if (keeps_loop_alive) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void LoopTimer::Stop() {
  if (timer_ != nullptr) uv_timer_stop(timer_);
}

void LoopTimer::Close() {
  is_closed_ = true;
  if (timer_ == nullptr) return;
  timer_->data = environment_;
  uv_close(reinterpret_cast<uv_handle_t*>(timer_), OnClosed);
  timer_ = nullptr;
}

void LoopTimer::OnTimer(uv_timer_t* timer) { static_cast<LoopTimer*>(timer->data)->on_timer_(); }

void LoopTimer::OnClosed(uv_handle_t* timer) {
  static_cast<Environment*>(timer->data)->HandleClosed();
  delete reinterpret_cast<uv_timer_t*>(timer);
}

}  // namespace pipewright
