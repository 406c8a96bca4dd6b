// Closes descriptors from other processes in the thread pool. The close(2) of a file on a
// slow file system (FUSE, NFS) can take seconds, during which it would block the loop.

#ifndef PIPEWRIGHT_SRC_CORE_BACKGROUND_CLOSER_H_
#define PIPEWRIGHT_SRC_CORE_BACKGROUND_CLOSER_H_

#include <uv.h>

#include <cstddef>
#include <vector>

namespace pipewright {

class Environment;

class BackgroundCloser {
 public:
  explicit BackgroundCloser(Environment* environment) : environment_(environment) {}
  BackgroundCloser(const BackgroundCloser&) = delete;
  BackgroundCloser& operator=(const BackgroundCloser&) = delete;

  void Close(const int* descriptors, size_t count);
  void Close(const std::vector<int>& descriptors) { Close(descriptors.data(), descriptors.size()); }
  // Closes copies that were held for a moment only, and does not wake those who wait for
  // room in the table: the waiter that made the copies would wake itself without end.
  void Discard(const std::vector<int>& descriptors);

 private:
  static void OnWork(uv_work_t* request);
  static void OnDone(uv_work_t* request, int status);

  void Start();

  Environment* environment_;
  uv_work_t request_;
  std::vector<int> waiting_;
  bool wakes_ = false;                // Report to DescriptorClosed() once waiting_ is closed.
  std::vector<int> closing_;          // Belongs to the thread pool while it is not empty.
  bool wakes_after_closing_ = false;  // The same for closing_.
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CORE_BACKGROUND_CLOSER_H_
