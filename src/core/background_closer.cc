#include "core/background_closer.h"

#include <unistd.h>

#include <utility>

#include "core/environment.h"

namespace pipewright {

void BackgroundCloser::Close(const int* descriptors, size_t count) {
  if (count == 0) return;
  wakes_ = true;
  waiting_.insert(waiting_.end(), descriptors, descriptors + count);
  if (closing_.empty()) Start();
}

void BackgroundCloser::Discard(const std::vector<int>& descriptors) {
  waiting_.insert(waiting_.end(), descriptors.begin(), descriptors.end());
  if (closing_.empty() && !waiting_.empty()) Start();
}

// The request counts as a handle, so that the environment does not end before it is done.
void BackgroundCloser::Start() {
  std::swap(waiting_, closing_);
  wakes_after_closing_ = std::exchange(wakes_, false);
  request_.data = this;
  environment_->HandleOpened();
  if (uv_queue_work(environment_->loop(), &request_, OnWork, OnDone) == 0) return;
  OnWork(&request_);
  OnDone(&request_, 0);
}

void BackgroundCloser::OnWork(uv_work_t* request) {
  for (const int fd : static_cast<BackgroundCloser*>(request->data)->closing_) close(fd);
}

void BackgroundCloser::OnDone(uv_work_t* request, int status) {
  auto* self = static_cast<BackgroundCloser*>(request->data);
  if (status == UV_ECANCELED) OnWork(request);
  self->closing_.clear();
  if (self->wakes_after_closing_) self->environment_->DescriptorClosed();
  if (!self->waiting_.empty()) self->Start();
  self->environment_->HandleClosed();
}

}  // namespace pipewright
