// Holds accepted connections until their clients have sent something, for a schedule that looks
// at the first bytes. Those whose clients stay silent come out after a time, or when too many
// wait, the one that has waited longest first.

#ifndef PIPEWRIGHT_SRC_CLUSTER_FIRST_BYTES_H_
#define PIPEWRIGHT_SRC_CLUSTER_FIRST_BYTES_H_

#include <cstdint>
#include <functional>
#include <list>
#include <unordered_map>

#include "cluster/connection_sender.h"
#include "core/loop_timer.h"
#include "core/unique_fd.h"

namespace pipewright {

class FirstBytes {
 public:
  FirstBytes(Environment* environment, std::function<void(Connection)> on_out)
      : environment_(environment),
        on_out_(std::move(on_out)),
        timer_(environment, [this] { ReleaseLate(); }) {}

  // Creates the epoll set, which is readable once a connection has to come out: OnReadable()
  // is to be called then. Returns 0 or a negative errno.
  int Open();
  void Close();
  int fd() const { return epoll_.get(); }

  // Milliseconds that a connection waits; 0: without end.
  void set_timeout(uint64_t timeout) { timeout_ = timeout; }
  size_t size() const { return waiting_.size(); }

  void Wait(Connection connection);
  void OnReadable();
  void ReleaseOldest();
  // Those of that listener.
  void ReleaseOf(uint32_t listener);
  std::list<Connection> TakeAll();

 private:
  using Waiting = std::list<Connection>;

  uint64_t Now() const { return uv_now(environment_->loop()); }
  void Release(Waiting::iterator place);
  void ReleaseLate();

  Environment* environment_;
  std::function<void(Connection)> on_out_;
  LoopTimer timer_;
  UniqueFd epoll_;
  uint64_t timeout_ = 0;
  Waiting waiting_;                                         // The longest first.
  std::unordered_map<uint32_t, Waiting::iterator> places_;  // By id.
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CLUSTER_FIRST_BYTES_H_
