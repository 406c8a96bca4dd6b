// A page of memory that a worker and the primary share. The worker writes what it counts, and
// the primary reads it without asking. No libuv and no JavaScript here.
//
// The primary maps it read-only and takes nothing in it for true: the numbers only choose among
// workers and fill the statistics. The kernel refuses to make it smaller (F_SEAL_SHRINK), so that
// no worker can have the primary killed by SIGBUS.

#ifndef PIPEWRIGHT_SRC_CLUSTER_WORKER_PAGE_H_
#define PIPEWRIGHT_SRC_CLUSTER_WORKER_PAGE_H_

#include <atomic>
#include <cstdint>

#include "core/unique_fd.h"

namespace pipewright {

struct WorkerCounters {
  std::atomic<uint64_t> accepted;  // Connections that it got.
  std::atomic<uint64_t> closed;    // Those of them that it has closed.
  // Milliseconds of CLOCK_MONOTONIC: when its loop last ran the timer that writes this.
  std::atomic<uint64_t> heartbeat;
  std::atomic<uint64_t> loop_delay;  // Microseconds by which that timer was late.
};

class WorkerPage {
 public:
  WorkerPage() = default;
  ~WorkerPage();
  WorkerPage(const WorkerPage&) = delete;
  WorkerPage& operator=(const WorkerPage&) = delete;

  // In the primary: makes the page, and a descriptor of it for the worker. 0 or a negative errno.
  int Create(UniqueFd* out);
  // In the worker: maps the page of that descriptor, which stays the caller's. 0 or a negative
  // errno.
  int Map(int fd);

  bool is_mapped() const { return counters_ != nullptr; }
  // To be written only after Map(), and read only if it is mapped.
  WorkerCounters* counters() { return counters_; }
  const WorkerCounters* counters() const { return counters_; }

 private:
  int MapAs(int fd, int protection);
  void Unmap();

  WorkerCounters* counters_ = nullptr;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CLUSTER_WORKER_PAGE_H_
