// What the kernel knows of an accepted connection that is in several processes: whether one of
// them has used it. No libuv and no JavaScript here.

#ifndef PIPEWRIGHT_SRC_CLUSTER_CONNECTION_STATE_H_
#define PIPEWRIGHT_SRC_CLUSTER_CONNECTION_STATE_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace pipewright {

// What processes had done with a connection before it was to be watched.
struct PriorUse {
  uint64_t read = 0;  // Bytes.
  uint64_t sent = 0;
};

// What was read from and sent on a TCP connection so far. Of a Unix socket WatchForTouch()
// forgets what was read, so there it is nothing.
PriorUse UseSoFar(int fd, bool is_unix);

// To be called before the connection is sent to another process: from then on IsTouched()
// works. On a Unix socket this sets SO_PEEK_OFF high; the kernel lowers it by each byte that is
// read, in whichever process.
void WatchForTouch(int fd, bool is_unix);

// Reports whether a process has read from the connection since then. Of a TCP connection it also
// reports whether one has written. What was written to a Unix socket the kernel does not tell.
bool IsTouched(int fd, bool is_unix, const PriorUse& prior);

// Reports whether something was written to the connection that its peer has not read.
bool HasUnreadOutput(int fd);

// Looks at the unread bytes, up to `size` of them, and leaves them unread. Returns their number, 0
// at the end, or a negative errno. On a Unix socket that WatchForTouch() was called for a look
// would show nothing: this takes the option off meanwhile.
ssize_t PeekUnread(int fd, bool is_watched, char* room, size_t size);

// Reports whether the connection has ended, and left nothing that could still be read.
bool IsOver(int fd);

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CLUSTER_CONNECTION_STATE_H_
