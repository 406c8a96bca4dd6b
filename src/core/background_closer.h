// Closes descriptors that came from strangers in the thread pool: the close(2) of a
// file on a slow file system (FUSE, NFS) can take seconds, and would block the loop.

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
  // Copies that were held for a moment only: nobody who waits for room is told, or the
  // one who made them would wake itself without end.
  void Discard(const std::vector<int>& descriptors);

 private:
  static void OnWork(uv_work_t* request);
  static void OnDone(uv_work_t* request, int status);

  void Start();

  Environment* environment_;
  uv_work_t request_;
  std::vector<int> waiting_;
  bool tells_ = false;        // Whether to tell of those that wait.
  std::vector<int> closing_;  // Belongs to the thread pool while it is not empty.
  bool tells_of_closing_ = false;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CORE_BACKGROUND_CLOSER_H_
