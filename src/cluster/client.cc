#include "cluster/client.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstring>

namespace pipewright {

namespace {

// FNV-1a.
uint64_t HashOf(const void* bytes, size_t count) {
  const auto* at = static_cast<const unsigned char*>(bytes);
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t i = 0; i < count; ++i) hash = (hash ^ at[i]) * 0x100000001b3;
  return hash;
}

// Spreads each bit of the input over all bits of the result (the finalizer of splitmix64).
uint64_t Mix(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

uint64_t HashOfAddress(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
  if (address.ss_family == AF_INET) {
    return HashOf(&reinterpret_cast<const sockaddr_in&>(address).sin_addr, sizeof(in_addr));
  }
  const in6_addr& ipv6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  if (!IN6_IS_ADDR_V4MAPPED(&ipv6)) return HashOf(&ipv6, sizeof(ipv6));
  constexpr size_t kPrefix = sizeof(in6_addr) - sizeof(in_addr);
  return HashOf(&ipv6.s6_addr[kPrefix], sizeof(in_addr));
}

uint64_t HashOfPeer(int fd, StickyBy by) {
  ucred credentials{};
  socklen_t length = sizeof(credentials);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return 0;
  if (by == StickyBy::kPid) return HashOf(&credentials.pid, sizeof(credentials.pid));
  return HashOf(&credentials.uid, sizeof(credentials.uid));
}

}  // namespace

uint64_t HashOfClient(int fd, bool is_unix, StickyBy by) {
  return is_unix ? HashOfPeer(fd, by) : HashOfAddress(fd);
}

uint64_t Affinity(uint64_t client, uint32_t slot) {
  constexpr uint64_t kGolden = 0x9e3779b97f4a7c15;
  return Mix(client ^ Mix((slot + 1) * kGolden));
}

}  // namespace pipewright
