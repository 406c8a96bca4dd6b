#include "core/freed_memory.h"

#include <cstdlib>

namespace pipewright {

// glibc adapts to the largest block that was freed: it keeps up to twice its size
// (mallopt(3), M_MMAP_THRESHOLD). The block is never touched, so it costs two system calls
// and no memory. Where the user has set the thresholds, and in other C libraries, nothing
// changes. mallopt() itself would stop the adapting.
void KeepFreedMemory() {
  constexpr size_t kBlock = 32 * 1024 * 1024 - 64 * 1024;  // glibc takes no notice of larger ones.
  static const bool is_done = [] {
    void* volatile block = std::malloc(kBlock);  // `volatile`: or the compiler removes both calls.
    std::free(block);
    return true;
  }();
  static_cast<void>(is_done);
}

}  // namespace pipewright
