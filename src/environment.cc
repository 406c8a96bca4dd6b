#include "environment.h"

#include "completion_queue.h"

namespace pipewright {

Environment* Environment::Create(Napi::Env env) {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return nullptr;
  auto* environment = new Environment(env, loop);
  env.SetInstanceData(environment);
  napi_add_async_cleanup_hook(env, OnCleanup, environment, nullptr);
  return environment;
}

Environment::Environment(Napi::Env env, uv_loop_t* loop) : env_(env), loop_(loop) {}

Environment::~Environment() = default;

CompletionQueue* Environment::AddQueue(Napi::Function dispatch) {
  queues_.push_back(std::make_unique<CompletionQueue>(this, dispatch));
  return queues_.back().get();
}

// The hook may return before its work is done: Node turns the loop until the
// hook's handle is removed, and destroys the environment only then.
void Environment::OnCleanup(napi_async_cleanup_hook_handle handle, void* data) {
  auto* self = static_cast<Environment*>(data);
  self->cleanup_ = handle;
  self->HandleOpened();  // Keeps the count above zero while the queues are gone through.
  for (auto& queue : self->queues_) queue->Close();
  self->HandleClosed();
}

void Environment::HandleClosed() {
  --open_handles_;
  if (open_handles_ == 0 && is_closing()) napi_remove_async_cleanup_hook(cleanup_);
}

}  // namespace pipewright
