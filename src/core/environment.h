// Per-thread state. One Environment belongs to one Node environment (the main
// thread or a worker) that loaded the addon; it owns the completion queues and
// sees to it that every open handle is closed when that environment ends.

#ifndef PIPEWRIGHT_SRC_CORE_ENVIRONMENT_H_
#define PIPEWRIGHT_SRC_CORE_ENVIRONMENT_H_

#include <napi.h>
#include <uv.h>

#include <memory>
#include <vector>

#include "core/background_closer.h"

namespace pipewright {

class CompletionQueue;

// Somebody who waits for room in the table of descriptors.
class DescriptorWaiter {
 public:
  virtual void OnDescriptorClosed() = 0;

 protected:
  ~DescriptorWaiter() = default;
};

class Environment {
 public:
  // Makes the Environment of `env` and stores it as its instance data, which
  // deletes it. Returns nullptr where the loop cannot be had.
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

  // Where descriptors go that came from strangers and nobody took.
  BackgroundCloser* closer() { return &closer_; }

  // Descriptors that were made here and whose numbers JavaScript was told: until they
  // are closed, or some handle's, or the user's, they are closed when the thread ends.
  void Track(int fd);
  void Untrack(int fd);
  bool IsTracked(int fd) const;

  // Whether a handle of the loop has it, ours or Node's. Goes through all of them.
  bool HasHandleOf(int fd) const;

  // How many descriptors the process had open when this environment began: what is
  // beyond them may be closed some day.
  int first_descriptor_count() const { return first_descriptor_count_; }

  // Called wherever we close a descriptor. Waiters are told until they are removed.
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
