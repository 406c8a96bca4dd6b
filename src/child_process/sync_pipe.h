// Our end of the socket pair behind one of a child's descriptors, for spawn_sync. Writes the
// input and keeps the output.

#ifndef PIPEWRIGHT_SRC_CHILD_PROCESS_SYNC_PIPE_H_
#define PIPEWRIGHT_SRC_CHILD_PROCESS_SYNC_PIPE_H_

#include <napi.h>
#include <poll.h>
#include <unistd.h>
#include <uv.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "core/unique_fd.h"

namespace pipewright {

class SyncPipe {
 public:
  // The memory of `input` must outlive this object.
  SyncPipe(int child_fd, uv_buf_t input, size_t max_output);

  int child_fd() const { return child_fd_; }
  // We never read from the child's stdin.
  bool may_read() const { return child_fd_ != STDIN_FILENO; }

  // Makes the socket pair. The child gets `child_end`. Returns 0 or a negative errno.
  int Open(UniqueFd* child_end);

  // True until the child has closed its end, or we have closed ours.
  bool is_open() const { return fd_.is_valid(); }
  void Close() { fd_.Reset(); }

  pollfd ToPoll() const;
  // Reads and writes as much as is possible now. Returns 0 or a negative errno: ENOBUFS if
  // there is more output than may be kept, EPIPE if the input has no reader any more.
  int Transfer();
  // Reads the bytes that are there now, then closes. The child has ended by then, but its own
  // children may go on writing. Returns what Transfer() returns.
  int DrainAndClose();

  Napi::Value Output(Napi::Env env) const;

 private:
  struct Chunk {
    static constexpr size_t kSize = 64 * 1024;

    std::unique_ptr<char[]> bytes{new char[kSize]};
    size_t used = 0;
  };

  bool is_writing() const { return !is_shut_down_; }
  int Write();
  int Read();

  int child_fd_;
  uv_buf_t input_;  // The part that is not written yet.
  bool is_shut_down_;
  size_t max_output_;
  UniqueFd fd_;
  std::vector<Chunk> chunks_;
  size_t size_ = 0;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CHILD_PROCESS_SYNC_PIPE_H_
