// Descriptors on their way from one thread to another: the one state that all threads
// share. While a descriptor is here it belongs to the process; a token names it, and
// the thread that shows the token takes it out. What nobody claims is closed when the
// thread that left it here ends.

#ifndef PIPEWRIGHT_SRC_CORE_DESCRIPTOR_REGISTRY_H_
#define PIPEWRIGHT_SRC_CORE_DESCRIPTOR_REGISTRY_H_

#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "core/unique_fd.h"

namespace pipewright {

class Environment;

class DescriptorRegistry {
 public:
  static DescriptorRegistry* Get();

  // The token: random, so that none is found by trying, and below 2**53.
  uint64_t Leave(const Environment* owner, UniqueFd fd);
  // Not valid where the token is unknown or was claimed before.
  UniqueFd Claim(uint64_t token);
  void CloseAllOf(const Environment* owner);

 private:
  struct Entry {
    const Environment* owner;
    UniqueFd fd;
  };

  std::mutex mutex_;
  std::unordered_map<uint64_t, Entry> entries_;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CORE_DESCRIPTOR_REGISTRY_H_
