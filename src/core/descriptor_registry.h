// Descriptors on their way from one thread to another, shared by all threads. While a
// descriptor is here it belongs to the process. A token names it, and the thread that
// presents the token claims it. A descriptor that is never claimed is closed when the
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

  // Returns the token: below 2**53, and random, so that it cannot be guessed.
  uint64_t Leave(const Environment* owner, UniqueFd fd);
  // The result is not valid if the token is unknown or was claimed before.
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
