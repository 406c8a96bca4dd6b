// Who is at the other end of an accepted connection. No libuv and no JavaScript here.

#ifndef PIPEWRIGHT_SRC_CLUSTER_CLIENT_H_
#define PIPEWRIGHT_SRC_CLUSTER_CLIENT_H_

#include <cstdint>

namespace pipewright {

// What makes two clients of a Unix socket the same one.
enum class StickyBy { kUid, kPid };

// Returns the same number for connections of the same client: over TCP for the same address,
// whatever its port; over a Unix socket for the same user or the same process. An IPv4 client
// is the same over a socket of either family.
uint64_t HashOfClient(int fd, bool is_unix, StickyBy by);

// Returns how much the client belongs to the worker in `slot`. It belongs to the one with the
// highest number (rendezvous hashing): a worker that is missing makes its own clients go
// elsewhere and no other's, and they return with it.
uint64_t Affinity(uint64_t client, uint32_t slot);

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CLUSTER_CLIENT_H_
