#include "child_process/sync_pipe.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "net/unix_address.h"

namespace pipewright {

SyncPipe::SyncPipe(int child_fd, uv_buf_t input, size_t max_output)
    : child_fd_(child_fd),
      input_(input),
      // A child that reads must see the end of the input. But stdout and stderr without input
      // are not shut down: the child may check if their reader is still there.
      is_shut_down_(input.len == 0 && (child_fd == STDOUT_FILENO || child_fd == STDERR_FILENO)),
      max_output_(max_output) {}

int SyncPipe::Open(UniqueFd* child_end) { return OpenSocketPair(SOCK_STREAM, &fd_, child_end); }

pollfd SyncPipe::ToPoll() const {
  const int events = (is_writing() ? POLLOUT : 0) | (may_read() ? POLLIN : 0);
  return {fd_.get(), static_cast<short>(events), 0};
}

int SyncPipe::Transfer() {
  int err = is_writing() ? Write() : 0;
  if (err == 0 && may_read()) err = Read();
  return err;
}

int SyncPipe::Write() {
  while (input_.len > 0) {
    const ssize_t sent = send(fd_.get(), input_.base, input_.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return 0;
    if (sent < 0) {
      const int err = errno;
      input_.len = 0;
      is_shut_down_ = true;
      if (!may_read()) Close();
      // A child that ends before it has read all input resets the connection. Node does not
      // distinguish that from EPIPE.
      return err == ECONNRESET ? -EPIPE : -err;
    }
    input_.base += sent;
    input_.len -= static_cast<size_t>(sent);
  }
  is_shut_down_ = true;
  shutdown(fd_.get(), SHUT_WR);
  if (!may_read()) Close();
  return 0;
}

// Reads once; poll(2) reports if there is more.
int SyncPipe::Read() {
  if (chunks_.empty() || chunks_.back().used == Chunk::kSize) chunks_.emplace_back();
  Chunk& chunk = chunks_.back();
  const ssize_t length =
      recv(fd_.get(), chunk.bytes.get() + chunk.used, Chunk::kSize - chunk.used, MSG_DONTWAIT);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  if (length <= 0) {
    const int err = length == 0 || errno == ECONNRESET ? 0 : -errno;
    Close();
    return err;
  }
  // The bytes over the limit are kept too, as in Node.
  chunk.used += static_cast<size_t>(length);
  size_ += static_cast<size_t>(length);
  return size_ > max_output_ ? -ENOBUFS : 0;
}

int SyncPipe::DrainAndClose() {
  int err = 0;
  int available = 0;
  if (is_open() && may_read()) ioctl(fd_.get(), FIONREAD, &available);
  const size_t end = size_ + static_cast<size_t>(available);
  while (err == 0 && is_open() && size_ < end) err = Read();
  Close();
  return err;
}

Napi::Value SyncPipe::Output(Napi::Env env) const {
  auto output = Napi::Buffer<char>::New(env, size_);
  if (output.IsEmpty()) return env.Null();  // Out of memory: the exception is pending.
  if (size_ == 0) return output;            // Its data may be null, which memcpy() must not get.
  char* end = output.Data();
  for (const Chunk& chunk : chunks_) {
    std::memcpy(end, chunk.bytes.get(), chunk.used);
    end += chunk.used;
  }
  return output;
}

}  // namespace pipewright
