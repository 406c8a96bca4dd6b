// Per-thread state. One Environment belongs to one Node environment (the main
// thread or a worker) that loaded the addon; it owns the completion queues and
// makes sure that every open handle is closed when that environment ends.

#ifndef PIPEWRIGHT_SRC_CORE_ENVIRONMENT_H_
#define PIPEWRIGHT_SRC_CORE_ENVIRONMENT_H_

#include <napi.h>
#include <uv.h>

#include <memory>
#include <vector>

#include "core/background_closer.h"

namespace pipewright {

class CompletionQueue;

// Waits for room in the table of descriptors.
class DescriptorWaiter {
 public:
  virtual void OnDescriptorClosed() = 0;

 protected:
  ~DescriptorWaiter() = default;
};

class Environment {
 public:
  // Makes the Environment of `env` and stores it as its instance data, which
  // deletes it. Returns nullptr if the loop is not available.
  static Environment* Create(Napi::Env env);

  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  Napi::Env env() const { return env_; }
  uv_loop_t* loop() const { return loop_; }

  // True once the Node environment is being torn down: from then on nothing
  // calls into JavaScript.
  bool is_closing() const { return cleanup_ != nullptr; }

  // A new queue, for one copy of lib/ (see completion_queue.h).
  CompletionQueue* AddQueue(Napi::Function dispatch);

  // Every uv_handle_t of ours is counted from its init to its close callback.
  void HandleOpened() { ++open_handles_; }
  void HandleClosed();

  // Closes descriptors that came from other processes and were not taken.
  BackgroundCloser* closer() { return &closer_; }

  // Descriptors that were made here and whose numbers JavaScript knows. They are tracked
  // until they are closed or owned by a handle or by the user; what is still tracked when
  // the thread ends is closed then.
  void Track(int fd);
  void Untrack(int fd);
  bool IsTracked(int fd) const;

  // Reports whether a handle of the loop, ours or Node's, has `fd`. Walks all of them.
  bool HasHandleOf(int fd) const;

  // The number of descriptors that the process had open when this environment began. More
  // than these may be closed at some time.
  int first_descriptor_count() const { return first_descriptor_count_; }

  // Called wherever we close a descriptor. Notifies every waiter until it is removed.
  void DescriptorClosed();
  void AddWaiter(DescriptorWaiter* waiter) { waiters_.push_back(waiter); }
  void RemoveWaiter(DescriptorWaiter* waiter);

 private:
  Environment(Napi::Env env, uv_loop_t* loop);
  static void OnCleanup(napi_async_cleanup_hook_handle handle, void* data);
  void CloseTracked();

  Napi::Env env_;
  uv_loop_t* loop_;
  std::vector<std::unique_ptr<CompletionQueue>> queues_;
  size_t open_handles_ = 0;
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
  BackgroundCloser closer_;
  std::vector<DescriptorWaiter*> waiters_;
  std::vector<bool> tracked_;  // By number.
  int first_descriptor_count_;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CORE_ENVIRONMENT_H_
