#include "core/environment.h"

#include <algorithm>

#include "core/completion_queue.h"
#include "core/descriptor_registry.h"
#include "core/descriptor_table.h"

namespace pipewright {

Environment* Environment::Create(Napi::Env env) {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return nullptr;
  auto* environment = new Environment(env, loop);
  env.SetInstanceData(environment);
  napi_add_async_cleanup_hook(env, OnCleanup, environment, nullptr);
  return environment;
}

Environment::Environment(Napi::Env env, uv_loop_t* loop)
    : env_(env), loop_(loop), closer_(this), first_descriptor_count_(OpenDescriptorCount()) {}

Environment::~Environment() = default;

CompletionQueue* Environment::AddQueue(Napi::Function dispatch) {
  queues_.push_back(std::make_unique<CompletionQueue>(this, dispatch));
  return queues_.back().get();
}

// The hook may return before its work is done: Node runs the loop until the hook's handle
// is removed, and destroys the environment only then.
void Environment::OnCleanup(napi_async_cleanup_hook_handle handle, void* data) {
  auto* self = static_cast<Environment*>(data);
  self->cleanup_ = handle;
  self->HandleOpened();  // Keeps the count above zero while the queues close.
  DescriptorRegistry::Get()->CloseAllOf(self);
  self->CloseTracked();
  for (auto& queue : self->queues_) queue->Close();
  self->HandleClosed();
}

void Environment::HandleClosed() {
  --open_handles_;
  if (open_handles_ == 0 && is_closing()) napi_remove_async_cleanup_hook(cleanup_);
}

void Environment::Track(int fd) {
  const auto index = static_cast<size_t>(fd);
  if (index >= tracked_.size()) tracked_.resize(index + 1);
  tracked_[index] = true;
}

void Environment::Untrack(int fd) {
  if (IsTracked(fd)) tracked_[static_cast<size_t>(fd)] = false;
}

bool Environment::IsTracked(int fd) const {
  const auto index = static_cast<size_t>(fd);
  return index < tracked_.size() && tracked_[index];
}

void Environment::CloseTracked() {
  for (int fd = 0; static_cast<size_t>(fd) < tracked_.size(); ++fd) {
    if (IsTracked(fd)) closer_.Close(&fd, 1);
  }
  tracked_.clear();
}

bool Environment::HasHandleOf(int fd) const {
  struct Search {
    uv_os_fd_t fd;
    bool is_found;
  };
  Search search = {fd, false};
  const auto compare = [](uv_handle_t* handle, void* data) {
    auto* wanted = static_cast<Search*>(data);
    uv_os_fd_t found = -1;
    if (uv_fileno(handle, &found) == 0 && found == wanted->fd) wanted->is_found = true;
  };
  uv_walk(loop_, compare, &search);
  return search.is_found;
}

void Environment::DescriptorClosed() {
  for (DescriptorWaiter* waiter : waiters_) waiter->OnDescriptorClosed();
}

void Environment::RemoveWaiter(DescriptorWaiter* waiter) {
  waiters_.erase(std::remove(waiters_.begin(), waiters_.end(), waiter), waiters_.end());
}

}  // namespace pipewright
