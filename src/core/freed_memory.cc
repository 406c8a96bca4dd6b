#include "core/freed_memory.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>

namespace pipewright {

namespace {

constexpr size_t kSmallest = 4 * 1024 * 1024;
constexpr size_t kLargest = 32 * 1024 * 1024 - 64 * 1024;  // glibc takes no notice of larger ones.

}  // namespace

// glibc adapts to the largest block that was freed: it keeps up to twice its size
// (mallopt(3), M_MMAP_THRESHOLD). The block is never touched, so it costs two system calls
// and no memory. Where the user has set the thresholds, and in other C libraries, nothing
// changes. mallopt() itself would stop the adapting.
void KeepFreedMemory(size_t chunk_size) {
  static std::atomic<size_t> done = 0;
  const size_t wanted = std::clamp(chunk_size * 16, kSmallest, kLargest);
  if (wanted <= done.load(std::memory_order_relaxed)) return;
  done.store(wanted, std::memory_order_relaxed);
  void* volatile block = std::malloc(wanted);  // `volatile`: or the compiler removes both calls.
  std::free(block);
}

}  // namespace pipewright
