// Our end of one of a child's descriptors, for spawn_sync: writes the input, keeps the
// output.

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
  // `input` must outlive it.
  SyncPipe(int child_fd, uv_buf_t input, size_t max_output);

  int child_fd() const { return child_fd_; }
  // We never read from the child's stdin.
  bool may_read() const { return child_fd_ != STDIN_FILENO; }

  // Makes the pair; `child_end` is what the child is to get. 0 or a negative errno.
  int Open(UniqueFd* child_end);

  // Until the child's end is closed, or ours.
  bool is_open() const { return fd_.is_valid(); }
  void Close() { fd_.Reset(); }

  pollfd ToPoll() const;
  // Reads and writes what is possible now. A negative errno: ENOBUFS where there is more
  // output than may be kept, EPIPE where nobody reads the input.
  int Transfer();
  // Reads what is there now, then closes. Of a child that has ended, whose own children
  // may go on writing. The errno as above.
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
  uv_buf_t input_;  // What is left of it.
  bool is_shut_down_;
  size_t max_output_;
  UniqueFd fd_;
  std::vector<Chunk> chunks_;
  size_t size_ = 0;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CHILD_PROCESS_SYNC_PIPE_H_
