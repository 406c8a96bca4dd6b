#include "core/descriptor_registry.h"

#include <uv.h>

#include <utility>
#include <vector>

namespace pipewright {

namespace {

uint64_t RandomToken() {
  constexpr uint64_t kMask = (uint64_t{1} << 53) - 1;
  static uint64_t fallback = 0;  // Under the registry's mutex.
  uint64_t token = 0;
  if (uv_random(nullptr, nullptr, &token, sizeof(token), 0, nullptr) != 0) token = ++fallback;
  return token & kMask;
}

}  // namespace

DescriptorRegistry* DescriptorRegistry::Get() {
  static DescriptorRegistry registry;
  return &registry;
}

uint64_t DescriptorRegistry::Leave(const Environment* owner, UniqueFd fd) {
  const std::lock_guard<std::mutex> lock(mutex_);
  uint64_t token;
  do {
    token = RandomToken();
  } while (entries_.count(token) != 0);
  entries_.emplace(token, Entry{owner, std::move(fd)});
  return token;
}

UniqueFd DescriptorRegistry::Claim(uint64_t token) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = entries_.find(token);
  if (found == entries_.end()) return UniqueFd();
  UniqueFd fd = std::move(found->second.fd);
  entries_.erase(found);
  return fd;
}

void DescriptorRegistry::CloseAllOf(const Environment* owner) {
  std::vector<UniqueFd> unclaimed;  // Closed after the lock is let go: a close can block.
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (entry->second.owner == owner) {
      unclaimed.push_back(std::move(entry->second.fd));
      entry = entries_.erase(entry);
    } else {
      ++entry;
    }
  }
}

}  // namespace pipewright
